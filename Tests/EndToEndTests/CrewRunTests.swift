import Domain
import Embedded
import Foundation
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

/// Ring 3: crew runs on real processes that are killed, flushed and restarted.
@Suite("Crew runs survive", .serialized)
struct CrewRunTests {
    private func tasks(_ count: Int, milliseconds: Int) -> JSON {
        .array(
            (1...count).map { number in
                [
                    "id": .string("task_\(number)"), "title": .string("Task \(number)"),
                    "simulate": ["ms": .integer(milliseconds), "costUsd": 0.01],
                ]
            }
        )
    }

    /// What must hold of every run, whatever happened to the processes.
    private func check(_ world: World, runs: Int) async throws {
        let results = try await world.postgres.pipeline([
            "SELECT count(*) FROM runs WHERE status = 'completed'",
            """
            SELECT count(*) FROM (SELECT 1 FROM deliverables WHERE task_id <> '_report'
              GROUP BY run_id, task_id HAVING count(*) <> 1) doubled
            """,
            """
            SELECT count(*) FROM runs r WHERE reserved_nanos <> 0
              OR spent_nanos <> (SELECT coalesce(sum(cost_nanos), 0) FROM llm_calls WHERE run_id = r.id)
            """,
            """
            SELECT count(*) FROM runs r WHERE last_seq <> (SELECT count(*) FROM run_events WHERE run_id = r.id)
              OR last_seq <> (SELECT max(seq) FROM run_events WHERE run_id = r.id)
            """,
            "SELECT count(*) FROM run_tasks WHERE status <> 'completed'",
            "SELECT count(*) FROM jobs WHERE state IN ('queued','running') AND queue = 'crew'",
        ])
        let figures = try results.map { try $0.first?.decode(Int.self) ?? -1 }
        #expect(figures[0] == runs, "completed runs")
        #expect(figures[1] == 0, "tasks with other than one document")
        #expect(figures[2] == 0, "runs whose spending is not the sum of their calls")
        #expect(figures[3] == 0, "runs with a gap in their events")
        #expect(figures[4] == 0, "tasks that are not completed")
        #expect(figures[5] == 0, "jobs left")
    }

    private func finished(_ world: World, _ runs: Int, within limit: Duration) async throws {
        try await eventually(within: limit, "\(runs) runs to end", poll: .milliseconds(50)) {
            let result = try? await world.postgres.query(
                "SELECT count(*) FROM runs WHERE status IN ('completed','failed')"
            )
            return try result?.first?.decode(Int.self) == runs
        }
    }

    private func someTasks(_ world: World, _ count: Int) async throws {
        try await eventually(within: .seconds(30), "\(count) finished tasks") {
            let result = try await world.postgres.query("SELECT count(*) FROM run_tasks WHERE status = 'completed'")
            return try result.first?.decode(Int.self) ?? 0 >= count
        }
    }

    @Test("K3: kill -9 of a worker in the middle of steps: another goes on, each task has one document, the sum fits")
    func killedWorker() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)")
        let scheduler = try fleet.start("scheduler")
        let victim = try fleet.start("worker")
        let caller = try await Caller.ready(fleet, port: port)
        for _ in 0..<8 { _ = try await caller.startRun(tasks: tasks(4, milliseconds: 250)) }
        try await someTasks(fleet.world, 4)
        victim.signal(SIGKILL)
        let heir = try fleet.start("worker")
        try await finished(fleet.world, 8, within: .seconds(30))
        try await check(fleet.world, runs: 8)
        let lost = try await fleet.world.count("losses > 0")
        #expect(lost > 0, "the kill hit nothing, so the test showed nothing")
        for process in [heir, scheduler, api] { try await process.stop() }
        await fleet.close()
    }

    @Test(
        "X-16, E-61: FLUSHALL, then Redis killed and restarted empty, in the middle of 100 runs: all complete, none twice"
    )
    func redisLost() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
            try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        for number in 0..<100 {
            _ = try await caller.startRun(tasks: tasks(2, milliseconds: 40))
            if number == 30 { _ = try await fleet.world.redis.send(["FLUSHALL"]) }
            if number == 60 { await fleet.redis.kill() }
            if number == 90 { try await fleet.redis.restart(empty: true) }
        }
        try await finished(fleet.world, 100, within: .seconds(60))
        try await check(fleet.world, runs: 100)
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test("Postgres killed and restarted in the middle of runs: all complete, none twice")
    func postgresLost() async throws {
        let postgres = try await TestStack.shared().dedicatedPostgres(durability: .durable)
        let fleet = try await FleetUnderTest(lease: 5, databaseURL: postgres.url)
        let world = try await World.on(postgres.url, like: fleet.world)
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port, stores: world.stores)
        for _ in 0..<20 { _ = try await caller.startRun(tasks: tasks(3, milliseconds: 100)) }
        try await someTasks(world, 5)
        await postgres.kill()
        try await postgres.restart()
        try await finished(world, 20, within: .seconds(60))
        try await check(world, runs: 20)
        for process in processes { try await process.stop() }
        await world.close()
        await fleet.close()
        await postgres.stop()
    }

    @Test("E-62: when the budget is spent nothing new begins, and what is finished stays")
    func budget() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        let costly: JSON = .array(
            (1...5).map {
                ["id": .string("t\($0)"), "title": .string("T\($0)"), "simulate": ["ms": 5, "costUsd": 0.02]]
            }
        )
        let id = try await caller.startRun(tasks: costly, budget: 0.05)
        try await finished(fleet.world, 1, within: .seconds(20))
        let status = try await caller.call("GET", "/api/engagements/\(id)/status").body
        #expect(status["status"] == "failed")
        #expect(status["error"]?.stringValue == "Budget exceeded ($0.04 of $0.05)")
        #expect(status["estimated_cost"]?.doubleValue == 0.04)
        let detail = try await caller.call("GET", "/api/engagements/\(id)").body
        let documents = (detail["deliverables"]?.arrayValue ?? []).compactMap { $0["filename"]?.stringValue }
        #expect(documents.count { !$0.hasPrefix("_") } == 2)
        for process in processes { try await process.stop() }
        await fleet.close()
    }
}
