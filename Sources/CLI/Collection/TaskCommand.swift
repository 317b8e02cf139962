import ArgumentParser
import Domain
import Jobs
import Stores

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task",
        abstract: "Collection tasks of all tenants: look at them, and book money that came another way than by Stripe.",
        subcommands: [ListTasksCommand.self, ShowTaskCommand.self, FundTaskCommand.self]
    )
}

extension CollectionTask.Status: ExpressibleByArgument {}

struct ListTasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List tasks, newest first.")

    @Option(help: "Only this tenant's.") var tenant: String?
    @Option(help: "Only these: \(CollectionTask.Status.allCases.map(\.rawValue).joined(separator: ", ")).")
    var status: CollectionTask.Status?
    @Option(help: "Only live or test.") var mode: KeyMode?
    @Option(help: "At most so many, up to 10000.") var limit = 50
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000.") }
    }

    func run() async throws {
        try await withFleet { fleet in
            let filter = CollectionDesk.Filter(tenant: tenant.map { ID($0) }, status: status, mode: mode, limit: limit)
            let tasks = try await fleet.stores.collectionDesk.list(filter)
            guard !json else { return Terminal.say(JSON.array(tasks.map { .object($0.members) }).text) }
            let rows = tasks.map { task in
                [
                    task.id.rawValue, task.mode.rawValue, task.status.rawValue,
                    "\(task.approvedCount)/\(task.targetSubmissions)", Terminal.dollars(task.budgetCents),
                    Terminal.dollars(task.fundedCents), task.title,
                ]
            }
            let header = ["ID", "MODE", "STATUS", "APPROVED", "BUDGET", "FUNDED", "TITLE"]
            Terminal.say(Terminal.table(header, rows, right: [0, 3, 4, 5]))
        }
    }
}

struct ShowTaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Everything about one task, and how many submissions it has."
    )

    @Argument(help: "The task's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await withFleet { fleet in
            let desk = fleet.stores.collectionDesk
            guard let task = try await desk.find(ID(id)) else {
                throw CommandEnd.missing("There is no task \"\(id)\".")
            }
            let counts = try await desk.submissions(of: task.id)
            var members = task.members
            members["submissions"] = .object(
                Dictionary(
                    uniqueKeysWithValues: Submission.Status.allCases.map { ($0.rawValue, .integer(counts[$0] ?? 0)) }
                )
            )
            guard !json else { return Terminal.say(JSON.object(members).text) }
            let lines = members.sorted { $0.key < $1.key }
                .map { $0.key.padding(to: 20) + ($0.value.stringValue ?? $0.value.text) }
            Terminal.say(lines.joined(separator: "\n"))
        }
    }
}

struct FundTaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fund",
        abstract: "Book a task's money, which opens it to contributors."
    )

    @Argument(help: "The task's id.") var id: String
    @Option(help: "What came in, in US cents; the task's budget without it.") var amount: Int?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard amount.map({ $0 > 0 }) ?? true else { throw ValidationError("--amount takes cents, more than 0.") }
    }

    func run() async throws {
        try await withFleet { fleet in
            let funded = try await FundByHand.run(ID(id), amount: amount, stores: fleet.stores, in: fleet.queue)
            guard let funded else { throw refusal(try await fleet.stores.collectionDesk.find(ID(id))) }
            guard !json else { return Terminal.say(JSON.object(funded.members).text) }
            Terminal.say("\(funded.id) is open with \(Terminal.dollars(funded.fundedCents)).")
        }
    }

    /// Why a task cannot be funded.
    private func refusal(_ task: CollectionTask?) -> CommandEnd {
        guard let task else { return .missing("There is no task \"\(id)\".") }
        guard task.status == .funding else {
            return CommandEnd(.no, "The task is \(task.status.rawValue): only one that is funding takes money.")
        }
        return CommandEnd(.no, "That is not enough: the task's budget is \(task.budgetCents) cents.")
    }
}

extension CollectionTask {
    /// As the API has it, and what operators need besides.
    fileprivate var members: [String: JSON] {
        [
            "id": .string(id.rawValue), "tenant": .string(tenant.rawValue), "mode": .string(mode.rawValue),
            "title": .string(title), "instructions": .string(instructions),
            "modalities": .array(modalities.map(JSON.string)), "device_requirement": .string(deviceRequirement),
            "example_media_key": exampleMediaKey.map(JSON.string) ?? .null, "reward_cents": .integer(rewardCents),
            "target_submissions": .integer(targetSubmissions), "budget_cents": .integer(budgetCents),
            "funded_cents": .integer(fundedCents), "approved_count": .integer(approvedCount),
            "status": .string(status.rawValue), "funding_url": fundingURL.map(JSON.string) ?? .null,
            "created_at": .string(createdAt.seconds), "updated_at": .string(updatedAt.seconds),
        ]
    }
}

extension Terminal {
    /// `$250.00`
    fileprivate static func dollars(_ cents: Int) -> String {
        let rest = cents % 100
        return "$\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
