import ArgumentParser
import Domain
import Glibc
import Jobs
import Queue

/// The name of a queue on the command line.
struct QueueArgument: ParsableArguments {
    @Argument(help: "The queue: \(QueueName.names.joined(separator: ", ")).") var queue: String
    @Option(help: "Why, for whoever looks next.") var reason = ""
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { try Self.check(queue) }

    static func check(_ name: String) throws {
        guard QueueName(rawValue: name) != nil else {
            throw ValidationError(
                "There is no queue \"\(name)\". The queues are: \(QueueName.names.joined(separator: ", "))."
            )
        }
    }

    func set(_ mode: QueueMode) async throws {
        try await withFleet { fleet in
            let who = fleet.settings.environment["USER"] ?? "user \(getuid())"
            try await fleet.queue.setMode(mode, of: queue, reason: reason, by: "\(who) on \(Fleet.hostName)")
            let depth = try await Inspector(fleet.queue).fleet().queues[queue] ?? QueueDepth()
            guard !json else {
                return Terminal.say(
                    JSON.object(["queue": .string(queue)].merging(depth.json.objectValue ?? [:]) { $1 }).text
                )
            }
            Terminal.say("\(queue) is \(mode.label): \(depth.ready) ready, \(depth.running) running. \(mode.meaning)")
        }
    }
}

extension QueueMode {
    var label: String {
        switch self {
        case .open: rawValue
        case .paused: Terminal.paint(rawValue, .yellow)
        case .closed: Terminal.paint(rawValue, .red)
        }
    }

    fileprivate var meaning: String {
        switch self {
        case .open: "It takes jobs and hands them out."
        case .paused: "It takes jobs and hands none out; what runs goes on."
        case .closed: "It refuses new jobs and hands out those it has."
        }
    }
}

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop handing out a queue's jobs; new ones are still accepted, running ones go on."
    )

    @OptionGroup var queue: QueueArgument

    func run() async throws { try await queue.set(.paused) }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Open a paused or closed queue again, and wake its workers."
    )

    @OptionGroup var queue: QueueArgument

    func run() async throws { try await queue.set(.open) }
}

struct CloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Refuse new jobs of a queue; it hands out those it has and runs empty."
    )

    @OptionGroup var queue: QueueArgument

    func run() async throws { try await queue.set(.closed) }
}
