import ArgumentParser
import Domain
import Queue

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Let dead jobs wait again.",
        discussion: """
            By ids, or by a filter: then the count is shown first, and --yes is needed unless a terminal answers. Attempts \
            go on, failures and losses begin at 0. A job is left out while another one with its unique key waits or runs.
            """
    )

    @OptionGroup var filter: FilterOptions
    @Option(help: "Spread them over time: 50/s, 600/m.") var rate: Rate?
    @OptionGroup var bulk: BulkOptions

    func run() async throws {
        try await bulk.run(.retry(perSecond: rate?.perSecond), filter, words: BulkWords("Retry", "retried"))
    }
}

struct DropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Cancel waiting jobs and delete dead ones.",
        discussion:
            "By ids, or by a filter: then the count is shown first, and --yes is needed unless a terminal answers."
    )

    @OptionGroup var filter: FilterOptions
    @OptionGroup var bulk: BulkOptions

    func run() async throws { try await bulk.run(.drop, filter, words: BulkWords("Drop", "dropped")) }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel waiting jobs, and ask running ones to end.",
        discussion: """
            A running job hears of it at once, or with its worker's next heartbeat; one that does not listen goes on to its \
            end. By ids, or by a filter: then the count is shown first, and --yes is needed unless a terminal answers.
            """
    )

    @OptionGroup var filter: FilterOptions
    @OptionGroup var bulk: BulkOptions

    func run() async throws { try await bulk.run(.cancel, filter, words: BulkWords("Cancel", "cancelled")) }
}

/// What an action is called before and after.
struct BulkWords: Sendable {
    let verb: String
    let done: String

    init(_ verb: String, _ done: String) {
        self.verb = verb
        self.done = done
    }
}

extension BulkGroup {
    var json: JSON {
        [
            "queue": .string(queue), "kind": .string(kind), "state": .string(state.rawValue), "jobs": .integer(count),
        ]
    }
}
