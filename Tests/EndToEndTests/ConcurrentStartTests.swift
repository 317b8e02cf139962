import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

/// Two API replicas, two workers and a scheduler, as an installation has them.
@Suite("A whole installation", .serialized)
struct ConcurrentStartTests {
    private func number(_ fleet: FleetUnderTest, _ sql: SQL) async throws -> Int {
        try await fleet.world.postgres.query(sql).first?.decode(Int.self) ?? -1
    }

    private func create(_ caller: Caller, _ tasks: JSON) async throws -> String {
        let draft: JSON = ["name": "Load", "client": "Test", "brief": "Test.", "budget": 5, "tasks": tasks]
        return try #require(try await caller.call("POST", "/api/engagements", draft).body["id"]?.stringValue)
    }

    /// All at once, in turn over the replicas.
    private func storm(_ callers: [Caller], _ count: Int, _ path: String) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for turn in 0..<count {
                group.addTask { try await callers[turn % callers.count].call("POST", path).status }
            }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    @Test(
        "SC-01, E-22 to E-25, E-40: of twenty starts over two replicas one wins; the run ends once, told once, with one mail each"
    )
    func concurrentStart() async throws {
        let fleet = try await FleetUnderTest()
        let ports = [freePort(), freePort()]
        let processes =
            try ports.map { try fleet.start("api", "--port", "\($0)") } + [
                try fleet.start("worker"), try fleet.start("worker"), try fleet.start("scheduler"),
            ]
        let first = try await Caller.ready(fleet, port: ports[0])
        let callers = [first, Caller(port: ports[1], key: first.key)]
        try await eventually(within: .seconds(20), "the second replica") {
            (try? await callers[1].call("GET", "/api/health"))?.status == 200
        }
        _ = try await fleet.world.postgres.query(
            """
            INSERT INTO webhook_endpoints (id, tenant_id, livemode, url, secret_sealed, enabled)
            SELECT 'whe_1', id, true, 'https://hooks.example.com/x', '\\x00', false FROM tenants
            """
        )
        let id = try await create(first, [["id": "a", "title": "A", "simulate": ["ms": 400, "costUsd": 0.01]]])
        #expect(try await storm(callers, 20, "/api/engagements/\(id)/run") == [200: 1, 409: 19])
        try await eventually(within: .seconds(30), "the run to be completed on the other replica") {
            try await callers[1].call("GET", "/api/engagements/\(id)/status").body["status"] == "completed"
        }
        #expect(try await number(fleet, "SELECT count(*) FROM runs") == 1)
        #expect(try await number(fleet, "SELECT count(*) FROM jobs WHERE kind = 'crew.start'") == 1)
        let told = try await fleet.world.postgres.query(
            "SELECT type FROM events WHERE type LIKE 'engagement.%' ORDER BY created_at"
        )
        .map { try $0.decode(String.self) }
        #expect(told == ["engagement.started", "engagement.completed"])
        let mails = try await fleet.world.stores.emails.list(tenant: nil, limit: 9)
        #expect(mails.map(\.template) == ["run_completed", "run_started"])
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test(
        "SC-04, E-20, E-32: deleted after a stop, a result that is still under way changes nothing and recreates nothing"
    )
    func deleteAfterStop() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("worker"), try fleet.start("worker"),
            try fleet.start("scheduler"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await caller.startRun(tasks: [
            ["id": "a", "title": "A", "simulate": ["ms": 1500, "costUsd": 0.1]]
        ])
        try await eventually(within: .seconds(20), "the task to run", poll: .milliseconds(10)) {
            try await number(fleet, "SELECT count(*) FROM run_tasks WHERE status = 'running'") == 1
        }
        let path = "/api/engagements/\(id)"
        let early = try await caller.call("DELETE", path)
        #expect(early.status == 409)
        #expect(early.body == ["error": "Cannot delete a running engagement. Stop it first."])
        #expect(try await caller.call("POST", path + "/stop").body["message"] == "Engagement stopped")
        #expect(try await caller.call("GET", path).body["runs"]?.arrayValue?.first?["error"] == "Stopped by user")
        #expect(try await caller.call("DELETE", path).body == ["success": true])
        #expect(try await caller.call("DELETE", path).body == ["error": "Not found"])
        try await eventually(within: .seconds(20), "the worker to be done with it") {
            try await number(fleet, "SELECT count(*) FROM jobs WHERE state IN ('queued','running')") == 0
        }
        #expect(try await caller.call("GET", path).status == 404)
        #expect(try await caller.call("GET", "/api/engagements").body == [])
        for table in ["runs", "run_tasks", "deliverables", "llm_calls", "run_events"] {
            #expect(try await number(fleet, "SELECT count(*) FROM \(clause: SQL(trusted: table))") == 0, "\(table)")
        }
        for process in processes { try await process.stop() }
        await fleet.close()
    }
}
