import ArgumentParser
import Documents
import Domain
import Jobs
import Queue
import Stores

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what is wrong with this installation, and say what to do. Changes nothing.",
        discussion: "Ends with 1 where something is bad. --canary also sends a no-op job through each queue."
    )

    @Flag(help: "Send a no-op job through each queue and wait for it.") var canary = false
    @Option(help: "How long to wait for canaries.") var within = Span(.seconds(15))
    @Option(help: "Only canaries of these queues, separated by commas.") var queues: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        for name in names { try QueueArgument.check(name) }
    }

    private var names: [String] {
        queues.map { $0.split(separator: ",").map(String.init) } ?? QueueName.names
    }

    func run() async throws {
        try await withFleet { fleet in
            var findings = try await Doctor(fleet.queue, migrations: Schema.migrations).examine()
            findings += try fleet.storageFindings()
            if !findings.contains(where: { $0.level == .bad }) {
                findings += try await StripeFindings.examine(fleet.postgres)
                findings.append(.walls(stand: try await fleet.stores.wallsStand()))
            }
            findings.append(.sandbox(await ToolWalls.standing(), isRequired: try fleet.settings.requiresSandbox()))
            if canary { findings += try await canaries(fleet) }
            Terminal.say(json ? JSON.array(findings.map(\.json)).text : Self.text(findings))
            if findings.contains(where: { $0.level == .bad }) { throw CommandEnd(.no) }
        }
    }

    private func canaries(_ fleet: Fleet) async throws -> [Finding] {
        let limit = within.duration
        return try await Canaries(fleet.queue).send(NewJob(Canary(), priority: 0), through: names, within: limit)
            .map { report in
                switch report.result {
                case .arrived(let claimed, let finished):
                    return .ok(
                        "canary.\(report.queue)",
                        "\(report.queue): picked up after \(Self.milliseconds(claimed)), done after \(Self.milliseconds(finished))"
                    )
                case .skipped(let mode):
                    return .warn(
                        "canary.\(report.queue)",
                        "\(report.queue) is \(mode.rawValue): no canary was sent",
                        why: "whether it moves is not known",
                        remedy: "`groundcrew resume \(report.queue)` when it is time."
                    )
                case .lost:
                    return .bad(
                        "canary.\(report.queue)",
                        "\(report.queue): the canary did not come through within \(limit)",
                        why: "its jobs do not run, or wait behind others for as long",
                        remedy: "docs/operations.md, \"a queue does not move\"."
                    )
                }
            }
    }

    private static func milliseconds(_ value: Double) -> String { "\(Double(Int(value * 10)) / 10) ms" }

    private static func text(_ findings: [Finding]) -> String {
        let lines = findings.map { finding in
            let mark = "\(finding.level.mark)  \(finding.what)"
            guard finding.level != .ok else { return mark }
            return mark + "\n      why: \(finding.why)\n      do:  \(finding.remedy)"
        }
        let bad = findings.count { $0.level == .bad }
        let warnings = findings.count { $0.level == .warn }
        let verdict = bad + warnings == 0 ? "All is well." : "\(bad) bad, \(warnings) to look at."
        return lines.joined(separator: "\n") + "\n\n\(verdict)"
    }
}

extension Finding {
    var json: JSON {
        [
            "level": .string(level.rawValue), "check": .string(check), "what": .string(what), "why": .string(why),
            "remedy": .string(remedy),
        ]
    }
}

extension Finding.Level {
    fileprivate var mark: String {
        switch self {
        case .ok: Terminal.paint("ok  ", .green)
        case .warn: Terminal.paint("warn", .yellow)
        case .bad: Terminal.paint("BAD ", .red)
        }
    }
}
