import Domain
import Foundation
import PostgresClient
import Queue
import TestSupport
import Testing

/// E-29 to E-37 with real processes: stop, pause and resume while steps are in flight.
@Suite("Stop, pause and resume", .serialized)
struct RunControlTests {
    private struct House {
        let fleet: FleetUnderTest
        let caller: Caller
        let processes: [FleetProcess]

        func engagement(_ id: String) async throws -> JSON {
            try await caller.call("GET", "/api/engagements/\(id)").body
        }

        func wait(_ id: String, for status: String) async throws {
            try await eventually(within: .seconds(30), "the engagement to be \(status)", poll: .milliseconds(20)) {
                try await caller.call("GET", "/api/engagements/\(id)/status").body["status"]?.stringValue == status
            }
        }

        func number(_ sql: SQL) async throws -> Int {
            try await fleet.world.postgres.query(sql).first?.decode(Int.self) ?? -1
        }

        /// Money and events, whatever happened.
        func check() async throws {
            let open = try await number(
                "SELECT count(*) FROM llm_calls c JOIN runs r ON r.id = c.run_id WHERE c.state = 'open' AND r.status <> 'running'"
            )
            let wrong = try await number(
                """
                SELECT count(*) FROM runs r WHERE status <> 'running' AND (reserved_nanos <> 0
                  OR spent_nanos <> (SELECT coalesce(sum(cost_nanos), 0) FROM llm_calls WHERE run_id = r.id))
                """
            )
            let gaps = try await number(
                "SELECT count(*) FROM runs r WHERE last_seq <> (SELECT count(*) FROM run_events WHERE run_id = r.id)"
            )
            #expect(open == 0 && wrong == 0 && gaps == 0)
        }
    }

    private func with(_ extra: [String: String] = [:], _ test: (House) async throws -> Void) async throws {
        let fleet = try await FleetUnderTest(extra: extra)
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        try await test(House(fleet: fleet, caller: caller, processes: processes))
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    private func task(_ id: String, _ milliseconds: Int, _ cost: Double, after: [String] = []) -> JSON {
        [
            "id": .string(id), "title": .string("Task \(id)"), "dependsOn": .array(after.map(JSON.string)),
            "simulate": ["ms": .integer(milliseconds), "costUsd": .number(cost)],
        ]
    }

    @Test("E-29 to E-32, F11: a stop closes the model's socket, the run has failed at once, and nothing comes later")
    func stop() async throws {
        try await FakeModelServer.with(.silent(after: "Hello")) { server in
            let settings = [
                "OPENAI_BASE_URL": server.baseURL, "OPENAI_API_KEY": "sk-test-0123456789", "GC_MODEL": "m",
                "GC_UNPRICED_IS_FREE": "1",
            ]
            try await with(settings) { house in
                let id = try await house.caller.startRun(tasks: [
                    ["id": "a", "title": "A"], ["id": "b", "title": "B"],
                ])
                try await eventually(within: .seconds(20), "the call") { server.requestCount == 1 }
                let stopped = try await house.caller.call("POST", "/api/engagements/\(id)/stop")
                #expect(stopped.status == 200 && stopped.body["status"] == "failed")
                #expect(stopped.body["message"] == "Engagement stopped")
                let run = try await house.engagement(id)["runs"]?.arrayValue?.first
                #expect(run?["error"] == "Stopped by user" && run?["finishedAt"]?.stringValue != nil)
                try await eventually(within: .seconds(5), "the closed socket") { server.hangUps.count == 1 }
                let again = try await house.caller.call("POST", "/api/engagements/\(id)/stop")
                #expect(again.status == 409 && again.body == ["error": "Engagement is not running"])
                try await eventually(within: .seconds(20), "the call to be booked") {
                    try await house.number("SELECT count(*) FROM llm_calls WHERE state = 'open'") == 0
                }
                try await house.check()
                #expect(server.requestCount == 1)
                let unknown = try await house.caller.call("POST", "/api/engagements/cnothing/stop")
                #expect(unknown.status == 404)
            }
        }
    }

    @Test("E-33 to E-37, SC-05: what is finished stays, what is in flight may finish, nothing begins; resume goes on")
    func pauseAndResume() async throws {
        try await with { house in
            let tasks: JSON = .array([
                task("a", 100, 0.1), task("b", 1500, 0.2, after: ["a"]), task("c", 100, 0.3, after: ["b"]),
            ])
            let id = try await house.caller.startRun(tasks: tasks)
            try await eventually(within: .seconds(20), "b to be in flight", poll: .milliseconds(10)) {
                try await house.number(
                    "SELECT count(*) FROM run_tasks WHERE task_id = 'b' AND status = 'running'"
                ) == 1
            }
            let answers = try await storm(house, id, "pause")
            #expect(answers.filter { $0 == 200 }.count == 1 && answers.filter { $0 == 409 }.count == 7)
            let run = try await house.engagement(id)["runs"]?.arrayValue?.first
            let snapshot = run?["pauseSnapshot"]
            #expect(run?["status"] == "paused" && snapshot?["completedTasks"] == ["a"])
            #expect(snapshot?["inFlightTasks"] == ["b"] && snapshot?["remainingTasks"] == ["c"])
            let start = try await house.caller.call("POST", "/api/engagements/\(id)/run")
            #expect(start.body == ["error": "Engagement is paused. Resume or stop it first."])
            try await eventually(within: .seconds(20), "b to finish in the pause") {
                try await house.number("SELECT count(*) FROM deliverables WHERE task_id = 'b'") == 1
            }
            let before = try await documents(house)
            let resumed = try await storm(house, id, "resume")
            #expect(resumed.filter { $0 == 200 }.count == 1)
            try await house.wait(id, for: "completed")
            let after = try await documents(house)
            #expect(before.allSatisfy { after.contains($0) } && after.count == 3)
            let ended = try await house.engagement(id)["runs"]?.arrayValue?.first
            #expect(ended?["pauseSnapshot"] == .null && ended?["id"] == run?["id"])
            try await house.check()
            let pause = try await house.caller.call("POST", "/api/engagements/\(id)/pause")
            let resume = try await house.caller.call("POST", "/api/engagements/\(id)/resume")
            #expect(pause.body == ["error": "Engagement is not running"])
            #expect(resume.body == ["error": "Engagement is not paused"])
        }
    }

    private func storm(_ house: House, _ id: String, _ verb: String) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try await house.caller.call("POST", "/api/engagements/\(id)/\(verb)").status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func documents(_ house: House) async throws -> Set<String> {
        let rows = try await house.fleet.world.postgres.query(
            "SELECT id || ' ' || version FROM deliverables WHERE task_id <> '_report'"
        )
        return Set(try rows.map { try $0.decode(String.self) })
    }

    @Test("A run whose last task finishes in the pause, and one whose worker dies in it, both end after the resume")
    func pauseAtTheEnd() async throws {
        try await with { house in
            let last = try await house.caller.startRun(tasks: .array([task("a", 600, 0.1)]))
            let killed = try await house.caller.startRun(tasks: .array([task("a", 60_000, 0.1)]))
            try await eventually(within: .seconds(20), "both to be in flight", poll: .milliseconds(10)) {
                try await house.number("SELECT count(*) FROM run_tasks WHERE status = 'running'") == 2
            }
            for id in [last, killed] { _ = try await house.caller.call("POST", "/api/engagements/\(id)/pause") }
            try await eventually(within: .seconds(20), "the short one to finish") {
                try await house.number("SELECT count(*) FROM run_tasks WHERE status = 'completed'") == 1
            }
            house.processes[2].signal(SIGKILL)
            let heir = try house.fleet.start("worker")
            try await eventually(within: .seconds(30), "the lost job to be given back and left alone") {
                try await house.number(
                    "SELECT count(*) FROM jobs WHERE kind = 'crew.step' AND state IN ('queued','running')"
                ) == 0
            }
            _ = try await house.fleet.world.postgres.query(
                "UPDATE run_tasks SET config = jsonb_set(config, '{simulate,ms}', '10') WHERE status = 'running'"
            )
            for id in [last, killed] {
                #expect(try await house.caller.call("POST", "/api/engagements/\(id)/resume").status == 200)
                try await house.wait(id, for: "completed")
            }
            try await house.check()
            try await heir.stop()
        }
    }

    @Test("E-60, SC-07: a stop beats a finishing task or loses to it, never both")
    func stopAtTheEnd() async throws {
        try await with { house in
            for round in 0..<15 {
                let id = try await house.caller.startRun(tasks: .array([task("a", 150, 0.1)]))
                // Not a wait: the stop is aimed at the moment of the end.
                try await Task.sleep(for: .milliseconds(130 + 6 * round))
                let stop = try await house.caller.call("POST", "/api/engagements/\(id)/stop").status
                try await house.wait(id, for: stop == 200 ? "failed" : "completed")
                let ends = try await house.number(
                    """
                    SELECT count(*) FROM run_events e JOIN runs r ON r.id = e.run_id
                    WHERE r.engagement_id = \(id) AND e.type = 'status' AND e.data->>'status' IN ('completed','failed')
                    """
                )
                #expect(ends == 1, "round \(round), stop answered \(stop)")
            }
            try await eventually(within: .seconds(20), "all calls to be booked") {
                try await house.number("SELECT count(*) FROM llm_calls WHERE state = 'open'") == 0
            }
            try await house.check()
        }
    }
}
