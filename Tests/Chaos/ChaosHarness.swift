import ArgumentParser
import Foundation
import Logging

/// Attacks a real fleet and judges it by its history. docs/chaos.md says what is promised and how to read the report.
@main
struct ChaosHarness: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "chaos", abstract: "Attack a fleet and judge it.")

    @Option(help: "Jobs that must be acknowledged.")
    var jobs = 20_000

    @Option(help: "Faults at least.")
    var faults = 100

    @Option(help: "The same seed draws the same faults and jobs.")
    var seed: UInt64 = 42

    @Option(help: "The groundcrew under attack.")
    var binary = ".build/debug/groundcrew"

    @Option(help: "Where the report goes, as Markdown.")
    var report: String?

    @Flag(help: "Seed bugs, one after the other, and see whether each is caught.")
    var mutants = false

    @Option(help: "With --mutants: this one only.")
    var only: String?

    func validate() throws {
        guard jobs > 0, faults > 0 else { throw ValidationError("--jobs and --faults must be at least 1.") }
        if let only, !Self.bugs.contains(only) {
            throw ValidationError(
                "There is no seeded bug \"\(only)\". There are: \(Self.bugs.joined(separator: ", "))."
            )
        }
    }

    static let bugs = [
        "no-fencing", "ack-before-commit", "no-sweep", "effect-before-fence", "token-reused", "poison-uncounted",
        "drain-drops",
    ]

    func run() async throws {
        guard FileManager.default.isExecutableFile(atPath: binary) else { throw ChaosError.noBinary(binary) }
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        if mutants { try await hunt() } else { try await weather() }
    }

    /// At once, also into a file or a pipe.
    private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private var path: String { URL(filePath: binary).path }
    private var colour: Bool { isatty(STDOUT_FILENO) == 1 }

    private func weather() async throws {
        let plan = Plan(jobs: jobs, faults: faults, seed: seed)
        let result = try await Storm(plan: plan, binary: path, gauge: Gauge()).run()
        say(result.summary(colour: colour))
        if let report { try result.markdown.write(toFile: report, atomically: true, encoding: .utf8) }
        guard result.passes else {
            say("chaos: BROKEN. The same storm again: make chaos SEED=\(seed) JOBS=\(jobs) FAULTS=\(faults)")
            throw ExitCode.failure
        }
    }

    private func hunt() async throws {
        let bugs = only.map { [$0] } ?? Self.bugs
        var caught = 0
        for bug in bugs {
            let findings = try await attempt(bug)
            let names = findings.map { "\($0.name) (\($0.count))" }.joined(separator: ", ")
            say("  \(bug): \(findings.isEmpty ? "NOT CAUGHT" : "caught by \(names)")")
            if !findings.isEmpty { caught += 1 }
        }
        say("\(caught)/\(bugs.count) caught")
        guard caught == bugs.count else { throw ExitCode.failure }
    }

    /// A race may spare a bug once; it does not three times in a row, with other seeds.
    private func attempt(_ bug: String) async throws -> [Finding] {
        for round in 0..<3 {
            var plan = Plan(jobs: 1500, faults: 30, seed: seed &+ UInt64(round))
            plan.mutant = bug
            plan.runs = false
            plan.poison = bug == "poison-uncounted" ? 1 : 0
            plan.patience = .seconds(8)
            let result = try await Storm(plan: plan, binary: path, gauge: Gauge()).run()
            if !result.caughtBy.isEmpty { return result.caughtBy }
        }
        return []
    }
}
