import ArgumentParser
import Foundation
import Logging
import Synchronization

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
        if let only, !Self.bugs.contains(where: { $0.name == only }) {
            let names = Self.bugs.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no seeded bug \"\(only)\". There are: \(names).")
        }
    }

    /// Each seeded bug, and the invariant that is there to catch it. One that only another one catches is not caught: it
    /// would go by chance.
    static let bugs: [(name: String, caughtBy: String)] = [
        ("no-fencing", "I2"), ("ack-before-commit", "I1"), ("no-sweep", "I5"), ("effect-before-fence", "I2"),
        ("token-reused", "I7"), ("poison-uncounted", "I12"), ("drain-drops", "I1"),
    ]

    func run() async throws {
        guard FileManager.default.isExecutableFile(atPath: binary) else { throw ChaosError.noBinary(binary) }
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        try await interruptible { if mutants { try await hunt() } else { try await weather() } }
    }

    /// SIGINT and SIGTERM end the storm in order: whatever it started is killed and its folder removed. Another one, later
    /// than two seconds after, ends the harness at once: shells and `timeout` may send the first one twice.
    private func interruptible(_ body: @escaping @Sendable () async throws -> Void) async throws {
        // A task of its own, because a signal must be able to cancel it.
        let storm = Task { try await body() }
        let patience = Patience()
        let sources = [SIGINT, SIGTERM].map { number in
            // It installs a handler of its own, so that children do not inherit an ignored signal.
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if patience.isOver() { _exit(130) }
                storm.cancel()
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            try await storm.value
        } catch {
            guard storm.isCancelled else { throw error }
            say("chaos: interrupted; everything that was started is gone")
            throw ExitCode(130)
        }
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
        let bugs = Self.bugs.filter { only == nil || $0.name == only }
        var caught = 0
        for bug in bugs {
            let findings = try await attempt(bug.name, meant: bug.caughtBy)
            let names = findings.map { "\($0.name) (\($0.count))" }.joined(separator: ", ")
            let isMeant = findings.contains { $0.isOf(bug.caughtBy) }
            let verdict =
                isMeant
                ? "caught by \(bug.caughtBy), as meant: \(names)"
                : "NOT CAUGHT by \(bug.caughtBy)\(findings.isEmpty ? "" : ", only by \(names)")"
            say("  \(bug.name): \(verdict)")
            if isMeant { caught += 1 }
        }
        say("\(caught)/\(bugs.count) caught")
        guard caught == bugs.count else { throw ExitCode.failure }
    }

    /// A race may spare a bug once; it does not three times in a row, with other seeds.
    private func attempt(_ bug: String, meant invariant: String) async throws -> [Finding] {
        var last: [Finding] = []
        for round in 0..<3 {
            var plan = Plan(jobs: 1500, faults: 30, seed: seed &+ UInt64(round))
            plan.mutant = bug
            plan.runs = false
            plan.poison = bug == "poison-uncounted" ? 1 : 0
            plan.patience = .seconds(8)
            let result = try await Storm(plan: plan, binary: path, gauge: Gauge()).run()
            last = result.caughtBy
            if last.contains(where: { $0.isOf(invariant) }) { break }
        }
        return last
    }
}

/// Remembers when the first signal came.
private final class Patience: Sendable {
    private let first = Mutex<ContinuousClock.Instant?>(nil)

    /// Whether an earlier signal was given two seconds.
    func isOver() -> Bool {
        first.withLock { first in
            guard let moment = first else {
                first = .now
                return false
            }
            return moment.duration(to: .now) > .seconds(2)
        }
    }
}
