import Domain
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-25, T-3, T-10 to T-14: every limit of a new task over two replicas; with Stripe down 201 without a page, which comes later"
    )
    func taskValidation() async throws {
        let scene = try #require(Scene.current)
        let d1 = try await scene.house.customer(nil).buyer()
        scene.stripe.fail(.status(503))
        let waiting = try await d1.a.ask("POST", "/api/v1/tasks", CollectionDraft.body([:]))
        #expect(waiting.status == 201 && waiting.body["data"]?["funding_url"] == .null, "\(waiting.text)")
        try await limits(d1)
        try await shape(d1)
        let five = #"{"title":"x","instructions":1,"modalities":["audio"],"reward_cents":"250","target_submissions":0}"#
        let faulty = try await d1.b.ask("POST", "/api/v1/tasks", five)
        #expect(faulty.status == 400)
        let fields = ["title", "instructions", "modalities[0]", "reward_cents", "target_submissions"]
        #expect(faulty.body.faultPaths == fields)
        let id = try #require(waiting.body["data"]?["id"]?.stringValue)
        try await eventually(within: .seconds(40), "the task to have its page") {
            try await d1.b.task(id)?["funding_url"]?.stringValue?.hasPrefix("https://pay.example/") == true
        }
    }

    private func limits(_ d1: Credential) async throws {
        for (turn, changes) in CollectionDraft.good.enumerated() {
            let answer = try await d1[turn].ask("POST", "/api/v1/tasks", CollectionDraft.body(changes))
            #expect(answer.status == 201, "\(changes) \(answer.text)")
        }
        for (turn, (changes, path)) in CollectionDraft.bad.enumerated() {
            let answer = try await d1[turn].ask("POST", "/api/v1/tasks", CollectionDraft.body(changes))
            #expect(answer.status == 400 && answer.body["error"]?["code"] == "validation_error", "\(changes)")
            #expect(answer.body.faultPaths == [path], "\(changes) \(answer.text)")
        }
        let listed = try await d1.a.call("GET", "/api/v1/tasks").body["data"]?.arrayValue
        #expect(listed?.count == CollectionDraft.good.count + 1)
    }

    private func shape(_ d1: Credential) async throws {
        let made = try await d1.b.ask("POST", "/api/v1/tasks", CollectionDraft.body([:])).body
        let task = try #require(made["data"]?.objectValue)
        #expect(Set(task.keys) == Set(CollectionDraft.members))
        #expect(task["id"]?.stringValue?.wholeMatch(of: /tsk_[0-9a-hjkmnp-tv-z]{16,26}/) != nil)
        for moment in ["created_at", "updated_at"] {
            #expect(task[moment]?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
        }
        #expect(task["funding_url"]?.stringValue?.hasPrefix("https://pay.example/") == true)
    }
}
