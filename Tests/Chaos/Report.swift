import Foundation
import Synchronization

/// What a storm has shown, as a page and as a few coloured lines.
struct Report: Sendable {
    let plan: Plan
    let jobs: Int
    let runs: Int
    let refusedRuns: Int
    let faults: [String: Int]
    let findings: [Finding]
    let recovery: Recovery
    let burials: [String]
    let reruns: Int
    let seconds: Double

    var faultCount: Int { faults.values.reduce(0, +) }

    /// Promises that were broken. Whether enough was tried is another question.
    var broken: [Finding] { findings.filter { $0.isPromise && !$0.holds } }

    /// Broken in a way that only a bug explains; for mutants, where Redis need not have calmed down.
    var caughtBy: [Finding] { broken.filter { !$0.name.hasPrefix("I10") && !$0.formula.hasPrefix("longest") } }

    /// Nothing broken, and it was a storm.
    var passes: Bool { findings.allSatisfy(\.holds) && faultCount >= plan.faults && jobs >= plan.jobs }

    var markdown: String {
        let head = """
            # Chaos report

            Seed \(plan.seed), \(plan.workers) workers, 2 schedulers, lease \(plan.lease) s, Postgres with fsync.

            | | |
            |---|---|
            | Jobs acknowledged | \(jobs) |
            | Crew runs through the API | \(runs) started, \(refusedRuns) second ones refused |
            | Faults | \(faultCount) |
            | Seconds from first job to last | \(Int(seconds)) |
            | Jobs per second | \(Int(Double(jobs) / max(1, seconds))) |
            | Attempts beyond the first | \(reruns) |
            | Verdict | \(passes ? "holds" : "BROKEN") |

            ## Invariants

            | Invariant | Formula | Count | Verdict |
            |---|---|---|---|

            """
        let rows = findings.map { "| \($0.name) | \($0.formula) | \($0.count) | \($0.holds ? "holds" : "BROKEN") |\n" }
        let recovered = """

            ## From kill -9 of a worker to the next claim of its jobs

            | Jobs | p50 | p99 | longest |
            |---|---|---|---|
            | \(recovery.jobs) | \(time(recovery.median)) | \(time(recovery.p99)) | \(time(recovery.longest)) |

            ## Faults

            | Fault | Times |
            |---|---|

            """
        let kinds = faults.sorted { $0.key < $1.key }.map { "| \($0.key) | \($0.value) |\n" }
        let dead = burials.isEmpty ? "" : "\n## Dead jobs\n\n" + burials.map { "- \($0)\n" }.joined()
        return head + rows.joined() + recovered + kinds.joined() + dead
    }

    private func time(_ seconds: Double) -> String { String(format: "%.2f s", seconds) }

    /// - Parameter colour: with ANSI colours, for a terminal.
    func summary(colour: Bool) -> String {
        var lines = findings.map { finding in
            let mark = finding.holds ? paint("holds ", 32, colour) : paint("BROKEN", 31, colour)
            return "  \(mark) \(finding.name): \(finding.count)"
        }
        let recovered =
            "recovery p50 \(time(recovery.median)), p99 \(time(recovery.p99)), longest \(time(recovery.longest))"
        lines.append("  \(jobs) jobs, \(faultCount) faults, \(Int(seconds)) s, seed \(plan.seed); \(recovered)")
        return lines.joined(separator: "\n")
    }

    private func paint(_ text: String, _ code: Int, _ colour: Bool) -> String {
        colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// A line that shows how far the storm is; only on a terminal.
struct Gauge: Sendable {
    let isTerminal = isatty(STDERR_FILENO) == 1

    func show(_ progress: Progress) {
        guard isTerminal else { return }
        let state = progress.state.withLock { $0 }
        let share = min(1, Double(state.acknowledgedCount) / Double(max(1, progress.plan.jobs)))
        let done = Int(share * 30)
        let bar = String(repeating: "█", count: done) + String(repeating: "░", count: 30 - done)
        write("\r\(bar) \(state.acknowledgedCount) jobs, \(state.faults.count) faults, \(state.open) open   ")
    }

    func clear() { if isTerminal { write("\r\u{1B}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
