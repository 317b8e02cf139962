import Domain
import Foundation
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-01, E-22 to E-25, E-40: of twenty starts with four keys over two replicas one wins; the run ends once, told once, with one mail each"
    )
    func concurrentStart() async throws {
        let scene = try #require(Scene.current)
        let t1 = try await scene.house.customer(.enterprise)
        try await scene.hear(t1)
        let keys = [try await t1.key(), try await t1.key(), try await t1.key(), try await t1.key()]
        let id = try await keys[0].a.create([.task("a", 3_000, 0.01), .task("b", 100, 0.01, after: "a")])
        // Each key five times, ten requests to each replica.
        let answers = try await atOnce(20) { turn in
            try await keys[turn % 4][turn + turn / 4].ask("POST", "/api/engagements/\(id)/run")
        }
        let run = try winner(of: answers)
        for replica in [keys[1].a, keys[2].b] {
            let runs = try await replica.call("GET", "/api/engagements/\(id)").body["runs"]?.arrayValue
            #expect(runs?.compactMap { $0["id"]?.stringValue } == [run])
        }
        try await keys[3].b.wait(id, for: "completed")
        let told = try await scene.heard(2, of: t1)
        #expect(told.map(\.type).sorted() == ["engagement.completed", "engagement.started"])
        #expect(told.allSatisfy { $0.run == run && $0.data["engagementId"]?.stringValue == id })
        let printed = try await scene.house.output(of: "emails", "--json", "--tenant", t1.id.rawValue)
        let mails = try #require(try JSON(parsing: Data(printed.utf8)).arrayValue)
        #expect(mails.map { $0["template"] } == ["run_completed", "run_started"])
        #expect(mails.allSatisfy { $0["to"]?.stringValue == t1.email && $0["data"]?["runId"]?.stringValue == run })
    }

    /// Exactly one started a run; returns its id.
    private func winner(of answers: [Answer]) throws -> String {
        let winners = answers.filter { $0.status == 200 }
        #expect(winners.count == 1)
        let won = try #require(winners.first).body
        #expect(Set(won.objectValue?.keys.map(\.self) ?? []) == ["runId", "status", "message"])
        #expect(won["status"] == "running" && won["message"] == "Engagement started")
        let lost = answers.filter { $0.status == 409 }
        #expect(lost.count == 19 && lost.allSatisfy { $0.body == ["error": "Engagement is already running"] })
        return try #require(won["runId"]?.stringValue)
    }
}
