import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-04, E-18 to E-20, E-29 to E-32: not deleted while it runs; stopped, then deleted, what is still under way is refused and recreates nothing"
    )
    func deleteAfterStop() async throws {
        let scene = try #require(Scene.current)
        let t1 = try await scene.house.customer(.enterprise)
        try await scene.hear(t1)
        let k1 = try await t1.key()
        let id = try await k1.a.create([.task("a", 3_000, 0.1), .task("b", 3_000, 0.1), .task("c", 3_000, 0.1)])
        let run = try await k1.a.start(id)
        try await eventually(within: .seconds(20), "all three tasks to run", poll: .milliseconds(20)) {
            try await k1.b.logs(of: id).count { $0.contains("Starting task: ") } == 3
        }
        let path = "/api/engagements/\(id)"
        let early = try await k1.b.call("DELETE", path)
        #expect(early.status == 409)
        #expect(early.body == ["error": "Cannot delete a running engagement. Stop it first."])
        try await stop(id, run, k1)
        let deleted = try await k1.a.call("DELETE", path)
        #expect(deleted.status == 200 && deleted.body == ["success": true])
        let again = try await k1.b.call("DELETE", path)
        #expect(again.status == 404 && again.body == ["error": "Not found"])
        let told = try await scene.heard(2, of: t1)
        #expect(told.map(\.type).sorted() == ["engagement.failed", "engagement.started"])
        try await gone(id, t1, k1, scene.house)
        try await refused(of: t1, scene.house)
    }

    private func stop(_ id: String, _ run: String, _ key: Credential) async throws {
        let path = "/api/engagements/\(id)"
        let stopped = try await key.a.call("POST", path + "/stop")
        #expect(stopped.status == 200)
        #expect(stopped.body == ["runId": .string(run), "status": "failed", "message": "Engagement stopped"])
        let shown = try await key.b.call("GET", path).body
        let ended = try #require(shown["runs"]?.arrayValue?.first)
        #expect(shown["status"] == "failed" && ended["status"] == "failed" && ended["error"] == "Stopped by user")
        #expect(ended["finishedAt"]?.stringValue != nil)
        let again = try await key.b.call("POST", path + "/stop")
        #expect(again.status == 409 && again.body == ["error": "Engagement is not running"])
    }

    /// Neither replica nor the database has anything of it.
    private func gone(_ id: String, _ owner: Customer, _ key: Credential, _ house: Installation) async throws {
        for replica in [key.a, key.b] {
            let shown = try await replica.call("GET", "/api/engagements/\(id)")
            #expect(shown.status == 404 && shown.body == ["error": "Not found"])
            #expect(try await replica.call("GET", "/api/engagements").body == [])
        }
        for table in ["engagements", "runs", "run_tasks", "deliverables", "llm_calls", "run_events"] {
            let count = try await house.fleet.number(
                "SELECT count(*) FROM \(clause: SQL(trusted: table)) WHERE tenant_id = \(owner.id)"
            )
            #expect(count == 0, "\(table)")
        }
    }

    /// A worker says of each step that its result does not count.
    private func refused(of owner: Customer, _ house: Installation) async throws {
        let rows = try await house.fleet.world.postgres.query(
            "SELECT id FROM jobs WHERE kind = 'crew.step' AND tenant = \(owner.id)"
        )
        let jobs = try rows.map { try $0.decode(Int.self) }
        #expect(jobs.count == 3)
        try await eventually(within: .seconds(10), "a line of a worker about each step") {
            let words = try house.workersWords().filter { $0.contains("refused") }
            return jobs.allSatisfy { job in words.contains { $0.contains(" job=\(job) ") } }
        }
    }
}
