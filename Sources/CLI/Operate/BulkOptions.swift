import ArgumentParser
import Domain
import Glibc
import Queue

/// How a command that touches many jobs goes about it: count, ask, do, tell.
struct BulkOptions: ParsableArguments {
    @Flag(help: "Only count what it would touch.") var dryRun = false
    @Flag(help: "Do not ask.") var yes = false
    @Flag(help: "Print JSON.") var json = false

    func run(_ action: BulkAction, _ options: FilterOptions, words: BulkWords) async throws {
        try check(action, options)
        try await withFleet { fleet in
            let operations = Operations(fleet.queue)
            let groups = try await operations.count(options.filter, for: action)
            let total = groups.reduce(0) { $0 + $1.count }
            guard total > 0 else { return try await nothing(fleet, action, options, words) }
            if dryRun { return tell(groups, total) }
            if !options.isExplicit { try confirm(groups, total, words) }
            let bar = ProgressBar(total: total, isShown: !json && total > 1000)
            let outcome = try await operations.run(
                action,
                options.filter,
                reason: "\(words.done) by an operator",
                progress: bar.show
            )
            bar.clear()
            report(outcome, matched: total, words)
        }
    }

    private func check(_ action: BulkAction, _ options: FilterOptions) throws {
        if options.filter.isEverything, !options.all {
            throw ValidationError("Say which jobs: ids, a filter such as --queue or --kind, or --all.")
        }
        if options.all, !options.filter.isEverything {
            throw ValidationError("--all and a filter contradict each other.")
        }
        let states = action.states.map(\.rawValue).joined(separator: " or ")
        if let state = options.state, !action.states.contains(state) {
            throw ValidationError(
                "This command is for jobs that are \(states); --state \(state.rawValue) never matches."
            )
        }
    }

    // MARK: Before

    private func nothing(
        _ fleet: Fleet,
        _ action: BulkAction,
        _ options: FilterOptions,
        _ words: BulkWords
    ) async throws {
        if json { Terminal.say(JSON.object(["matched": 0, "changed": 0]).text) }
        var text = "Nothing matches: \(words.verb.lowercased()) is for jobs that are "
        text += action.states.map(\.rawValue).joined(separator: " or ") + "."
        for id in options.ids.prefix(10) {
            let job = try await Inspector(fleet.queue).job(id)
            text += "\n  job \(id) " + (job.map { "is \($0.state)" } ?? "does not exist")
        }
        throw CommandEnd(.no, text)
    }

    private func tell(_ groups: [BulkGroup], _ total: Int) {
        guard !json else {
            return Terminal.say(
                JSON.object(["matched": .integer(total), "dry_run": true, "groups": .array(groups.map(\.json))]).text
            )
        }
        Terminal.say(Self.table(groups) + "\n\n\(total) jobs match. Nothing was changed.")
    }

    private static func table(_ groups: [BulkGroup]) -> String {
        let rows = groups.map { [$0.queue, $0.kind, $0.state.rawValue, "\($0.count)"] }
        return Terminal.table(["QUEUE", "KIND", "STATE", "JOBS"], rows, right: [3])
    }

    private func confirm(_ groups: [BulkGroup], _ total: Int, _ words: BulkWords) throws {
        guard !yes else { return }
        Terminal.complain(Self.table(groups))
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandEnd(.usage, "\(total) jobs match and nothing was changed. Add --yes to go on.")
        }
        Terminal.write("\(words.verb) \(total) jobs? [y/N] ", to: STDERR_FILENO)
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw CommandEnd(.no, "Nothing was changed.")
        }
    }

    // MARK: After

    private func report(_ outcome: BulkOutcome, matched: Int, _ words: BulkWords) {
        guard !json else {
            return Terminal.say(
                JSON.object([
                    "matched": .integer(matched), "changed": .integer(outcome.changed),
                    "asked_to_end": .integer(outcome.requested),
                    "conflicts": .array(outcome.conflicts.map(JSON.integer)),
                ]).text
            )
        }
        let ended = outcome.changed - outcome.requested
        var parts: [String] = []
        if ended > 0 || outcome.requested == 0 { parts.append("\(ended) \(words.done)") }
        if outcome.requested > 0 { parts.append("\(outcome.requested) running asked to end") }
        if !outcome.conflicts.isEmpty {
            let ids = outcome.conflicts.prefix(5).map(String.init).joined(separator: ", ")
            parts.append(
                "\(outcome.conflicts.count) left dead, because a job with their unique key waits or runs (\(ids))"
            )
        }
        Terminal.say(parts.joined(separator: "; ") + ".")
    }
}

/// Shows how far a bulk is, on standard error and on a terminal only.
struct ProgressBar {
    private let total: Int
    private let isShown: Bool

    init(total: Int, isShown: Bool) {
        self.total = total
        self.isShown = isShown && isatty(STDERR_FILENO) == 1
    }

    func show(_ done: Int) {
        guard isShown else { return }
        Terminal.write("\r\(Terminal.bar(done, of: total, width: 40)) \(done)/\(total)", to: STDERR_FILENO)
    }

    func clear() {
        if isShown { Terminal.write("\r\u{1B}[K", to: STDERR_FILENO) }
    }
}
