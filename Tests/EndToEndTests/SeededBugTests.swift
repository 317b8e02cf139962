import Foundation
import PostgresClient
import Queue
import TestSupport
import Testing

/// Three faults, each brought about on purpose at the worst moment: the fleet stands them, and a fleet with the bug that each
/// is meant for does not. A check that cannot fail proves nothing. The harness (`make chaos-mutants`) hunts them by chance.
@Suite("Seeded bugs", .serialized)
struct SeededBugTests {
    enum Bug: String, CaseIterable {
        case noFencing = "no-fencing"
        case ackBeforeCommit = "ack-before-commit"
        case noSweep = "no-sweep"
    }

    @Test(
        "Two workers end the same job, one past its lease: its effect is committed once; without the fence, twice",
        arguments: [nil, Bug.noFencing]
    )
    func fencing(bug: Bug?) async throws {
        let fleet = try await fleet(bug)
        let world = fleet.world
        let scheduler = try fleet.start("scheduler")
        let log = NSTemporaryDirectory() + "groundcrew-\(world.namespace).log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let first = try FleetProcess(["worker"], fleet.environment, log: log)
        try await world.queue.enqueue([probe(milliseconds: 2000)])
        try await eventually(within: .seconds(20), "the first worker to begin") {
            try await world.count("state = 'running'") == 1
        }
        first.signal(SIGSTOP)
        let second = try fleet.start("worker")
        try await eventually(within: .seconds(20), "the second worker to end the job") {
            try await world.count("state = 'done' AND losses = 1") == 1
        }
        first.signal(SIGCONT)
        // Its job does not listen when it is told to stop, so it ends its work and hands it in.
        try await eventually(within: .seconds(20), "the first worker to hand in what it has") {
            let said = try String(contentsOfFile: log, encoding: .utf8)
            if said.contains("another attempt owns the job") { return true }
            return try await effects(world) == 2
        }
        #expect(try await effects(world) == (bug == nil ? 1 : 2))
        for process in [first, second, scheduler] { try await process.stop() }
        await fleet.close()
    }

    @Test(
        "A worker is killed while it works: the job is done again; settled before its commit, its effect is lost",
        arguments: [nil, Bug.ackBeforeCommit]
    )
    func acknowledgement(bug: Bug?) async throws {
        let fleet = try await fleet(bug)
        let world = fleet.world
        let scheduler = try fleet.start("scheduler")
        let first = try fleet.start("worker")
        try await world.queue.enqueue([probe(milliseconds: 2000)])
        // The bug settles as soon as it begins.
        let moment: SQL = bug == nil ? "state = 'running'" : "state = 'done'"
        try await eventually(within: .seconds(20), "the worker to begin") { try await world.count(moment) == 1 }
        first.signal(SIGKILL)
        let second = try fleet.start("worker")
        try await eventually(within: .seconds(20), "the job to be done") {
            try await world.count("state = 'done'") == 1
        }
        for process in [second, scheduler] { try await process.stop() }
        #expect(try await effects(world) == (bug == nil ? 1 : 0))
        await fleet.close()
    }

    @Test(
        "A job that Redis never heard of is found by the sweep; without it, nobody finds it",
        arguments: [nil, Bug.noSweep]
    )
    func sweep(bug: Bug?) async throws {
        let fleet = try await fleet(bug)
        let world = fleet.world
        let scheduler = try fleet.start("scheduler")
        let worker = try fleet.start("worker")
        // A worker that starts looks into the ledger itself, so the next job must come later than that.
        try await world.queue.enqueue([probe(milliseconds: 0)])
        try await eventually(within: .seconds(20), "the fleet to be at work") {
            try await world.count("state = 'done'") == 1
        }
        _ = try await world.postgres.query(Ledger.insert([probe(milliseconds: 0)]))
        let found: Void? = try? await eventually(within: bug == nil ? .seconds(20) : .seconds(6), "the job to be found")
        {
            try await world.count("state = 'done'") == 2
        }
        #expect((found != nil) == (bug == nil))
        for process in [worker, scheduler] { try await process.stop() }
        await fleet.close()
    }

    private func fleet(_ bug: Bug?) async throws -> FleetUnderTest {
        try await FleetUnderTest(lease: 1, extra: bug.map { ["GC_TEST_MUTANT": $0.rawValue] } ?? [:]).withEffects()
    }

    private func probe(milliseconds: Int) -> NewJob {
        let payload = #"{"key":"only","milliseconds":\#(milliseconds),"stubborn":true}"#
        return NewJob(kind: "test.probe", queue: "maint", payload: payload)
    }

    private func effects(_ world: World) async throws -> Int {
        try await world.postgres.query("SELECT count(*) FROM probe_effects").first?.decode(Int.self) ?? -1
    }
}
