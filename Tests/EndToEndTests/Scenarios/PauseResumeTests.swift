import Domain
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-05, E-26, E-33 to E-37: a pause lets the task in flight finish and nothing begin; the resume goes on with what is finished kept"
    )
    func pauseAndResume() async throws {
        let scene = try #require(Scene.current)
        let t1 = try await scene.house.customer(.enterprise)
        let k1 = try await t1.key()
        let id = try await k1.a.create([
            .task("a", 300, 0.10), .task("b", 4_000, 0.20, after: "a"), .task("c", 300, 0.30, after: "b"),
        ])
        let run = try await k1.a.start(id)
        let told = try await k1.b.stream(id).read { answer in
            answer.events.contains { $0.data?["taskId"] == "a" } && answer.text.contains("Starting task: b")
        }
        #expect(told.events.contains { $0.type == "task_complete" && $0.data?["taskId"] == "a" })
        try await pause(id, run, k1)
        try await eventually(within: .seconds(20), "b to finish in the pause", poll: .milliseconds(50)) {
            try await k1.b.logs(of: id).contains { $0.contains("Completed task: b") }
        }
        try await scene.house.settled(t1)
        let before = try await inThePause(id, k1)
        try await resume(id, run, k1)
        try await k1.b.wait(id, for: "completed")
        try await whole(id, run, before, k1)
        try await scene.house.fleet.checkBooks()
    }

    /// Of eight at once over both replicas one pauses, and what it leaves behind is right.
    private func pause(_ id: String, _ run: String, _ key: Credential) async throws {
        let path = "/api/engagements/\(id)"
        let answers = try await atOnce(8) { try await key[$0].ask("POST", path + "/pause") }
        let paused = answers.filter { $0.status == 200 }.map(\.body)
        #expect(paused == [["runId": .string(run), "status": "paused", "message": "Engagement paused"]])
        let late = answers.filter { $0.status == 409 }.map(\.body)
        #expect(late.count == 7 && late.allSatisfy { $0 == ["error": "Engagement is not running"] })
        #expect(try await key.b.call("GET", path + "/status").body["status"] == "paused")
        let shown = try #require(try await key.b.run(of: id))
        let snapshot = shown["pauseSnapshot"]
        #expect(shown["status"] == "paused" && snapshot?["completedTasks"] == ["a"])
        #expect(snapshot?["inFlightTasks"] == ["b"] && snapshot?["remainingTasks"] == ["c"])
        let start = try await key.a.call("POST", path + "/run")
        #expect(start.status == 409 && start.body == ["error": "Engagement is paused. Resume or stop it first."])
    }

    /// b has finished and no job is left; returns the documents by their names.
    private func inThePause(_ id: String, _ key: Credential) async throws -> [String: JSON] {
        let lines = try await key.a.logs(of: id)
        #expect(lines.count { $0.contains("Starting task: b") } == 1)
        #expect(!lines.contains { $0.contains("task: c") })
        #expect(try await key.a.call("GET", "/api/engagements/\(id)/status").body["status"] == "paused")
        let documents = try await documents(id, key.a)
        #expect(Set(documents.keys) == ["a.md", "b.md"] && documents["a.md"]?["version"] == 1)
        return documents
    }

    /// Of eight at once over both replicas one resumes the same run.
    private func resume(_ id: String, _ run: String, _ key: Credential) async throws {
        let answers = try await atOnce(8) { try await key[$0].ask("POST", "/api/engagements/\(id)/resume") }
        let resumed = answers.filter { $0.status == 200 }.map(\.body)
        #expect(resumed == [["runId": .string(run), "status": "running", "message": "Engagement resumed"]])
        let late = answers.filter { $0.status == 409 }.map(\.body)
        #expect(late.count == 7 && late.allSatisfy { $0 == ["error": "Engagement is not paused"] })
    }

    private func whole(_ id: String, _ run: String, _ before: [String: JSON], _ key: Credential) async throws {
        let documents = try await documents(id, key.a)
        #expect(Set(documents.keys) == ["a.md", "b.md", "c.md"])
        #expect(documents.values.allSatisfy { $0["version"] == 1 })
        for (name, document) in before { #expect(documents[name] == document, "\(name)") }
        let ended = try #require(try await key.b.run(of: id))
        #expect(ended["id"]?.stringValue == run && ended["pauseSnapshot"] == .null)
        #expect(ended["estimatedCost"]?.doubleValue == 0.6)
        let lines = try await key.b.logs(of: id)
        for task in ["a", "b", "c"] {
            #expect(lines.count { $0.contains("Starting task: \(task)") } == 1, "\(task)")
        }
        let resume = try await key.b.call("POST", "/api/engagements/\(id)/resume")
        #expect(resume.status == 409 && resume.body == ["error": "Engagement is not paused"])
        let pause = try await key.a.call("POST", "/api/engagements/\(id)/pause")
        #expect(pause.status == 409 && pause.body == ["error": "Engagement is not running"])
    }

    /// What the crew wrote for the client, by name; one version of each.
    private func documents(_ id: String, _ caller: Caller) async throws -> [String: JSON] {
        let all = try await caller.call("GET", "/api/engagements/\(id)").body["deliverables"]?.arrayValue ?? []
        let named = all.map { ($0["filename"]?.stringValue ?? "", $0) }.filter { !$0.0.hasPrefix("_") }
        let byName = Dictionary(named) { first, _ in first }
        #expect(byName.count == named.count)
        return byName
    }
}
