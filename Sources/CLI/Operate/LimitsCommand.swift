import ArgumentParser
import Domain
import PostgresClient
import Queue

struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "How much of a queue may run at once and start per second.",
        subcommands: [ListLimits.self, SetLimit.self, RemoveLimit.self],
        defaultSubcommand: ListLimits.self
    )
}

struct ListLimits: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The limits of queues, and of tenants by their plan or by name."
    )

    @Option(help: "Only this queue.") var queue: String?
    @Option(help: "Only this tenant.") var tenant: String?
    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let limits = try await fleet.queue.ledger.limits().filter { limit in
                (queue == nil || limit.queue == queue) && (tenant == nil || limit.tenant == tenant)
            }.sorted { ($0.queue, $0.tenant ?? "") < ($1.queue, $1.tenant ?? "") }
            guard !view.json else { return JSON.array(limits.map(\.json)).text }
            guard !limits.isEmpty else { return "Nothing is limited. `groundcrew limits set --help` says how to." }
            let rows = limits.map { limit in
                [
                    limit.queue, limit.tenant ?? "(all)", limit.concurrency == 0 ? "-" : "\(limit.concurrency)",
                    "\(limit.weight)", limit.rate == 0 ? "-" : "\(limit.rate)", "\(limit.burst)",
                ]
            }
            return Terminal.table(
                ["QUEUE", "TENANT", "AT ONCE", "WEIGHT", "PER SECOND", "BURST"],
                rows,
                right: [2, 3, 4, 5]
            )
        }
    }
}

/// Which limit a command means.
struct LimitName: ParsableArguments {
    @Option(help: "The queue.") var queue: String
    @Option(help: "The tenant; without it the limit is the whole queue's.") var tenant: String?

    func validate() throws { try QueueArgument.check(queue) }
}

struct SetLimit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Limit a queue, or a tenant in it; what is not given is unlimited. In force within 5 s."
    )

    @OptionGroup var name: LimitName
    @Option(help: "Jobs at once; 0 is no cap.") var concurrency = 0
    @Option(help: "A tenant's share of worker time against others, above 0.") var weight = 1.0
    @Option(help: "Starts per second; 0 is no rate.") var rate = 0.0
    @Option(help: "Starts at once after a pause.") var burst = 1

    func validate() throws {
        guard (0...1_000_000).contains(concurrency) else { throw ValidationError("--concurrency takes 0 to 1000000.") }
        guard weight >= 0.01, weight <= 9999 else { throw ValidationError("--weight takes 0.01 to 9999.") }
        guard rate == 0 || (rate >= 0.001 && rate <= 1_000_000) else {
            throw ValidationError("--rate takes 0, or 0.001 to 1000000 starts per second.")
        }
        guard (1...1_000_000).contains(burst) else { throw ValidationError("--burst takes 1 to 1000000.") }
    }

    func run() async throws {
        try await withFleet { fleet in
            let limit = QueueLimit(
                queue: name.queue,
                tenant: name.tenant,
                concurrency: concurrency,
                weight: weight,
                rate: rate,
                burst: burst
            )
            _ = try await fleet.postgres.query(Ledger.set(limit))
            Terminal.say("Set. The active scheduler tells Redis within 5 s.")
        }
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
            let removed = try await fleet.postgres.query(Ledger.removeLimit(queue: name.queue, tenant: name.tenant))
            guard removed.affected > 0 else {
                throw CommandEnd(.no, "There is no such limit. `groundcrew limits` lists them.")
            }
            Terminal.say("Removed. The active scheduler tells Redis within 5 s.")
        }
    }
}

extension QueueLimit {
    fileprivate var json: JSON {
        [
            "queue": .string(queue), "tenant": tenant.map(JSON.string) ?? .null, "concurrency": .integer(concurrency),
            "weight": .number(weight), "rate": .number(rate), "burst": .integer(burst),
        ]
    }
}
