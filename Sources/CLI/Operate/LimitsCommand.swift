import ArgumentParser
import Domain
import PostgresClient
import Queue

struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "How much of a queue may run at once, start per second, and wait.",
        subcommands: [ListLimits.self, SetLimit.self, RemoveLimit.self],
        defaultSubcommand: ListLimits.self
    )
}

struct ListLimits: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The limits of queues, of plans, of tenants by their plan or by name, and of keys."
    )

    @Option(help: "Only this queue.") var queue: String?
    @Option(help: "Only this tenant.") var tenant: String?
    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let limits = try await fleet.queue.ledger.limits().filter { limit in
                (queue == nil || limit.queue == queue) && (tenant == nil || limit.tenant == tenant)
            }.sorted { ($0.queue, $0.tenant ?? "") < ($1.queue, $1.tenant ?? "") }
            let plans = try await fleet.queue.ledger.planLimits().filter { limit in
                tenant == nil && (queue == nil || limit.queue == queue)
            }
            let keys = try await fleet.queue.ledger.keyLimits().filter { limit in
                tenant == nil && (queue == nil || limit.queue == queue)
            }
            guard !view.json else {
                return JSON.array(limits.map(\.json) + plans.map(\.json) + keys.map(\.json)).text
            }
            guard !limits.isEmpty || !plans.isEmpty || !keys.isEmpty else {
                return "Nothing is limited. `groundcrew limits set --help` says how to."
            }
            return Terminal.table(
                ["QUEUE", "TENANT", "AT ONCE", "WEIGHT", "PER SECOND", "BURST", "WAITING"],
                limits.map(\.cells) + plans.map(\.cells) + keys.map(\.cells),
                right: [2, 3, 4, 5, 6]
            )
        }
    }
}

/// Which limit a command means.
struct LimitName: ParsableArguments {
    @Option(help: "The queue.") var queue: String
    @Option(help: "The tenant; without it the limit is the whole queue's.") var tenant: String?
    @Option(help: "The plan whose tenants are meant: starter, professional or enterprise.") var plan: String?
    @Option(help: "The concurrency key whose jobs are meant, of each tenant by itself.") var key: String?
    @Flag(help: "Every concurrency key of the queue that has no limit of its own.") var eachKey = false

    /// A limit of keys is meant.
    var isOfKeys: Bool { eachKey || key != nil }

    func validate() throws {
        try QueueArgument.check(queue)
        guard !isOfKeys || (tenant == nil && plan == nil && !(eachKey && key != nil)) else {
            throw ValidationError("Give one of --tenant, --plan, --key and --each-key.")
        }
        guard (1...200).contains(key?.utf8.count ?? 1) else { throw ValidationError("--key takes 1 to 200 bytes.") }
        guard let plan else { return }
        guard tenant == nil else { throw ValidationError("Give --tenant or --plan, not both.") }
        guard Plan(rawValue: plan) != nil else {
            throw ValidationError("There is no plan \"\(plan)\". The plans are: starter, professional, enterprise.")
        }
    }
}

struct SetLimit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract:
            "Limit a queue, or a tenant, a plan or a key in it; what is not given is unlimited. In force within 5 s."
    )

    @OptionGroup var name: LimitName
    @Option(help: "Jobs at once; 0 is no cap.") var concurrency = 0
    @Option(help: "A tenant's share of worker time against others, above 0.") var weight = 1.0
    @Option(help: "Starts per second; 0 is no rate.") var rate = 0.0
    @Option(help: "Starts at once after a pause.") var burst = 1
    @Option(help: "Jobs that may wait; 0 is no cap. Without it GC_TENANT_WAITING_CAP or GC_QUEUE_CAP holds.")
    var waiting: Int?

    func validate() throws {
        guard (0...1_000_000).contains(concurrency) else { throw ValidationError("--concurrency takes 0 to 1000000.") }
        guard weight >= 0.01, weight <= 9999 else { throw ValidationError("--weight takes 0.01 to 9999.") }
        guard rate == 0 || (rate >= 0.001 && rate <= 1_000_000) else {
            throw ValidationError("--rate takes 0, or 0.001 to 1000000 starts per second.")
        }
        guard (1...1_000_000).contains(burst) else { throw ValidationError("--burst takes 1 to 1000000.") }
        guard (0...100_000_000).contains(waiting ?? 0) else { throw ValidationError("--waiting takes 0 to 100000000.") }
        guard name.plan == nil || (rate == 0 && burst == 1) else {
            throw ValidationError("A plan has no rate: leave out --rate and --burst, or name a tenant.")
        }
        guard !name.isOfKeys || (rate == 0 && burst == 1 && weight == 1 && waiting == nil) else {
            throw ValidationError("A key has only --concurrency: leave out --rate, --burst, --weight and --waiting.")
        }
    }

    func run() async throws {
        try await withFleet { fleet in
            _ = try await fleet.postgres.query(statement)
            Terminal.say("Set. The active scheduler tells Redis within 5 s.")
        }
    }

    private var statement: SQL {
        if name.isOfKeys {
            return Ledger.set(KeyLimit(queue: name.queue, key: name.key, concurrency: concurrency))
        }
        if let plan = name.plan {
            return Ledger.set(
                PlanLimit(plan: plan, queue: name.queue, concurrency: concurrency, weight: weight, waiting: waiting)
            )
        }
        return Ledger.set(
            QueueLimit(
                queue: name.queue,
                tenant: name.tenant,
                concurrency: concurrency,
                weight: weight,
                rate: rate,
                burst: burst,
                waiting: waiting
            )
        )
    }
}

struct RemoveLimit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take a limit back; a tenant has that of its plan again."
    )

    @OptionGroup var name: LimitName

    func run() async throws {
        try await withFleet { fleet in
            let removed = try await fleet.postgres.query(statement)
            guard removed.affected > 0 else {
                throw CommandEnd(.no, "There is no such limit. `groundcrew limits` lists them.")
            }
            Terminal.say("Removed. The active scheduler tells Redis within 5 s.")
        }
    }

    private var statement: SQL {
        if name.isOfKeys { return Ledger.removeKeyLimit(queue: name.queue, key: name.key) }
        if let plan = name.plan { return Ledger.removePlanLimit(plan, queue: name.queue) }
        return Ledger.removeLimit(queue: name.queue, tenant: name.tenant)
    }
}

extension QueueLimit {
    fileprivate var json: JSON {
        [
            "queue": .string(queue), "tenant": tenant.map(JSON.string) ?? .null, "concurrency": .integer(concurrency),
            "weight": .number(weight), "rate": .number(rate), "burst": .integer(burst),
            "waiting": waiting.map(JSON.integer) ?? .null,
        ]
    }

    fileprivate var cells: [String] {
        [
            queue, tenant ?? "(all)", concurrency == 0 ? "-" : "\(concurrency)", "\(weight)",
            rate == 0 ? "-" : "\(rate)", "\(burst)", waiting.map { $0 == 0 ? "any" : "\($0)" } ?? "-",
        ]
    }
}

extension PlanLimit {
    fileprivate var json: JSON {
        [
            "queue": .string(queue), "plan": .string(plan), "concurrency": .integer(concurrency),
            "weight": .number(weight), "waiting": waiting.map(JSON.integer) ?? .null,
        ]
    }

    fileprivate var cells: [String] {
        [
            queue, "(plan \(plan))", concurrency == 0 ? "-" : "\(concurrency)", "\(weight)", "-", "-",
            waiting.map { $0 == 0 ? "any" : "\($0)" } ?? "-",
        ]
    }
}

extension KeyLimit {
    fileprivate var json: JSON {
        ["queue": .string(queue), "key": key.map(JSON.string) ?? .null, "concurrency": .integer(concurrency)]
    }

    fileprivate var cells: [String] {
        [
            queue, key.map { "(key \($0))" } ?? "(each key)", concurrency == 0 ? "-" : "\(concurrency)", "-", "-", "-",
            "-",
        ]
    }
}
