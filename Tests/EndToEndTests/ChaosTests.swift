import Foundation
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

/// Jobs with visible effects under kills, freezes and flushes.
@Suite("Chaos", .serialized)
struct ChaosTests {
    struct Report: CustomStringConvertible {
        var faults = 0
        var lost = 0
        var doubled = 0
        var stuck = 0

        var isClean: Bool { lost == 0 && doubled == 0 && stuck == 0 }
        var description: String { "\(faults) faults: \(lost) lost, \(doubled) doubled, \(stuck) stuck" }
    }

    private static let jobs = 400

    private func storm() async throws -> Report {
        let fleet = try await FleetUnderTest(lease: 1).withEffects()
        let world = fleet.world
        let scheduler = try fleet.start("scheduler")
        var workers = [try fleet.start("worker"), try fleet.start("worker")]
        var random = SplitMix(seed: 42)
        var report = Report()
        for batch in 0..<8 {
            let load = (0..<Self.jobs / 8).map { index in
                let key = "job-\(batch)-\(index)"
                let time = Int.random(in: 50...400, using: &random)
                return NewJob(
                    kind: "test.probe",
                    queue: "maint",
                    tenant: "t\(index % 5)",
                    payload: #"{"key":"\#(key)","milliseconds":\#(time),"stubborn":true}"#
                )
            }
            if batch % 4 == 3 {
                // Committed, and the process died before Redis heard of it.
                _ = try await world.postgres.query(Ledger.insert(load))
            } else {
                try await world.queue.enqueue(load)
            }
            // A storm over an empty sea proves nothing.
            try? await eventually(within: .seconds(3), "work to hit") {
                try await world.count("state = 'running'") > 10
            }
            report.faults += 1
            switch batch % 4 {
            case 0: try await freeze(&workers, fleet)
            case 1: try await crash(&workers, fleet)
            case 2: _ = try? await world.redis.send(["FLUSHALL"])
            default: _ = try? await world.redis.send(["SCRIPT", "FLUSH"])
            }
        }
        // A worker that starts looks into the ledger itself; these come when all have long started.
        try? await eventually(within: .seconds(3), "the sea to be calm") {
            try await world.count("state = 'running'") == 0
        }
        let late = (0..<20).map {
            NewJob(kind: "test.probe", queue: "maint", payload: #"{"key":"late-\#($0)","milliseconds":5}"#)
        }
        _ = try await world.postgres.query(Ledger.insert(late))
        let settled = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < settled, try await world.count("state IN ('queued','running')") > 0 {
            for index in workers.indices where !workers[index].isRunning { workers[index] = try fleet.start("worker") }
            try await Task.sleep(for: .milliseconds(50))
        }
        report.stuck = try await world.count("state IN ('queued','running')")
        for process in workers + [scheduler] { try await process.stop() }
        let effects = try await world.postgres.query(
            """
            SELECT (SELECT count(*) FROM jobs WHERE state = 'done' AND NOT EXISTS (SELECT 1 FROM probe_effects WHERE job = jobs.id)),
                   (SELECT count(*) FROM (SELECT 1 FROM probe_effects GROUP BY key HAVING count(*) > 1) twice)
            """
        )
        (report.lost, report.doubled) = try effects.first?.decode(Int.self, Int.self) ?? (-1, -1)
        await fleet.close()
        return report
    }

    /// Past its lease, with work in hand; then it wakes up and hands in what it has.
    private func freeze(_ workers: inout [FleetProcess], _ fleet: FleetUnderTest) async throws {
        let before = try await fleet.world.count("losses > 0")
        workers[0].signal(SIGSTOP)
        try? await eventually(within: .seconds(4), "the frozen worker's jobs to be given back") {
            try await fleet.world.count("losses > 0") > before
        }
        try? await eventually(within: .seconds(1), "others to begin them") {
            try await fleet.world.count("losses > 0 AND state = 'queued'") == 0
        }
        workers[0].signal(SIGCONT)
    }

    private func crash(_ workers: inout [FleetProcess], _ fleet: FleetUnderTest) async throws {
        workers[1].signal(SIGKILL)
        workers[1] = try fleet.start("worker")
    }

    @Test("Nothing is lost, nothing is committed twice, nothing is stuck")
    func holds() async throws {
        let report = try await storm()
        #expect(report.isClean, "\(report)")
        #expect(report.faults >= 8)
    }
}
