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
                let run = try await house.caller.run(of: id)
                #expect(run?["error"] == "Stopped by user" && run?["finishedAt"]?.stringValue != nil)
                try await eventually(within: .seconds(5), "the closed socket") { server.hangUps.count == 1 }
                let again = try await house.caller.call("POST", "/api/engagements/\(id)/stop")
                #expect(again.status == 409 && again.body == ["error": "Engagement is not running"])
                try await house.fleet.checkBooks()
                #expect(server.requestCount == 1)
                let unknown = try await house.caller.call("POST", "/api/engagements/cnothing/stop")
                #expect(unknown.status == 404)
            }
        }
    }

    @Test("A run whose last task finishes in the pause, and one whose worker dies in it, both end after the resume")
    func pauseAtTheEnd() async throws {
        try await with { house in
            let last = try await house.caller.startRun(tasks: [.task("a", 600, 0.1)])
            let killed = try await house.caller.startRun(tasks: [.task("a", 60_000, 0.1)])
            try await eventually(within: .seconds(20), "both to be in flight", poll: .milliseconds(10)) {
                try await house.fleet.number("SELECT count(*) FROM run_tasks WHERE status = 'running'") == 2
            }
            for id in [last, killed] { _ = try await house.caller.call("POST", "/api/engagements/\(id)/pause") }
            try await eventually(within: .seconds(20), "the short one to finish") {
                try await house.fleet.number("SELECT count(*) FROM run_tasks WHERE status = 'completed'") == 1
            }
            house.processes[2].signal(SIGKILL)
            let heir = try house.fleet.start("worker")
            try await eventually(within: .seconds(30), "the lost job to be given back and left alone") {
                try await house.fleet.number(
                    "SELECT count(*) FROM jobs WHERE kind = 'crew.step' AND state IN ('queued','running')"
                ) == 0
            }
            _ = try await house.fleet.world.postgres.query(
                "UPDATE run_tasks SET config = jsonb_set(config, '{simulate,ms}', '10') WHERE status = 'running'"
            )
            for id in [last, killed] {
                #expect(try await house.caller.call("POST", "/api/engagements/\(id)/resume").status == 200)
                try await house.caller.wait(id, for: "completed")
            }
            try await house.fleet.checkBooks()
            try await heir.stop()
        }
    }
}
