import Domain
import Foundation
import PostgresClient
import Synchronization
import TestSupport
import Testing

/// Documents judged by a model, with real processes and a scripted server (contract E-50…E-52, J-2; engine F9, K11).
@Suite("Runs with an observer", .serialized)
struct ObserverRunTests {
    private let twoTasks: JSON = [
        ["id": "a", "title": "First", "rubric": "analytical"],
        ["id": "b", "title": "Second", "rubric": "strategic", "dependsOn": ["a"]],
    ]
    private static let document =
        "# Document\n\n" + String(repeating: "The market grew by 12 % in 2024. ", count: 2)
        + "Customers in suburbs buy most of the robots, because their gardens are large and time is short there. "
        + "Nobody has counted how many robots are returned, so the true demand may well be lower than that."

    /// A judge's answer that gives each criterion the same score.
    private static func judgement(_ score: Int, _ rubric: Rubric) -> String {
        let criteria = rubric.criteria.map { criterion -> JSON in
            ["name": .string(criterion.name), "score": .integer(score), "quote": "grew by 12 %"]
        }
        return JSON.object(["criteria": .array(criteria), "feedback": "Well sourced."]).text
    }

    private static func isFirst(_ seen: FakeModelServer.Seen) -> Bool { seen.body.contains("Document: First") }

    private static func isJudged(_ body: String) -> Bool { body.contains("You judge a document") }

    /// Answers writers with the document, and judges with what `judge` says.
    private func run(
        judge: @escaping @Sendable (FakeModelServer.Seen) -> FakeModelReply,
        _ check: (FleetUnderTest, Caller, _ id: String, _ worker: FleetProcess) async throws -> Void
    ) async throws {
        let answer: @Sendable (FakeModelServer.Seen) -> FakeModelReply = { seen in
            Self.isJudged(seen.body) ? judge(seen) : .text(Self.document)
        }
        try await FakeModelServer.with(otherwise: answer) { server in
            let fleet = try await FleetUnderTest(extra: [
                "OPENAI_BASE_URL": server.baseURL, "OPENAI_API_KEY": "k", "GC_MODEL": "test-model",
                "GC_UNPRICED_IS_FREE": "1", "GC_OBSERVER": "model",
            ])
            let port = freePort()
            let worker = try fleet.start("worker")
            let processes = [
                try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), worker,
            ]
            let caller = try await Caller.ready(fleet, port: port)
            let id = try await caller.startRun(tasks: twoTasks)
            try await check(fleet, caller, id, worker)
            for process in processes { try await process.stop() }
            await fleet.close()
        }
    }

    private func end(of id: String, _ caller: Caller) async throws -> String {
        try await eventually(within: .seconds(60), "the run to end", poll: .milliseconds(50)) {
            let status = try await caller.call("GET", "/api/engagements/\(id)/status").body["status"]?.stringValue
            return status == "completed" || status == "failed"
        }
        return try await caller.call("GET", "/api/engagements/\(id)/status").body["status"]?.stringValue ?? ""
    }

    @Test("E-50, E-51: each document is scored once before the run ends, and the mean has one decimal")
    func scored() async throws {
        let judge: @Sendable (FakeModelServer.Seen) -> FakeModelReply = { seen in
            let isFirst = Self.isFirst(seen)
            return .text(Self.judgement(isFirst ? 9 : 8, isFirst ? .analytical : .strategic))
        }
        try await run(judge: judge) { fleet, caller, id, _ in
            #expect(try await end(of: id, caller) == "completed")
            let quality = try await caller.call("GET", "/api/engagements/\(id)/quality").body
            let scores = quality["scores"]?.arrayValue ?? []
            #expect(scores.compactMap { $0["taskName"]?.stringValue } == ["a", "b"], "\(quality.text)")
            #expect(scores.first?["score"]?.doubleValue == 9)
            #expect(scores.first?["feedback"]?.stringValue == "Well sourced.")
            #expect(quality["runStatus"]?.stringValue == "completed")
            let analytics = try await caller.call("GET", "/api/engagements/\(id)/analytics").body
            #expect(analytics["modelRouting"]?.arrayValue?.first?["observerScore"]?.doubleValue == 9)
            let status = try await caller.call("GET", "/api/engagements/\(id)/status").body
            #expect(status["steps"]?.intValue == 2)
            #expect(try await fleet.world.count("kind = 'crew.observe' AND state = 'done'") == 2)
        }
    }

    @Test("E-52, F9: a judge that talks nonsense is asked once more, then the run ends without a score")
    func nonsense() async throws {
        try await run(judge: { _ in .text("10 out of 10!") }) { fleet, caller, id, _ in
            #expect(try await end(of: id, caller) == "completed")
            let quality = try await caller.call("GET", "/api/engagements/\(id)/quality").body
            #expect(quality["averageScore"] == .null && quality["scores"] == [])
            #expect(Set(quality.objectValue?.keys.map { $0 } ?? []) == ["runId", "averageScore", "scores"])
            let calls = try await fleet.world.postgres.query(
                "SELECT count(*) FROM llm_calls WHERE agent_slug = 'quality_observer' AND state = 'settled'"
            )
            let count: Int? = try calls.first?.decode(Int.self)
            #expect(count == 4)
        }
    }

    @Test("K11: a worker that is killed while it judges costs the run nothing but time")
    func killed() async throws {
        let isKilled = Mutex(false)
        let judge: @Sendable (FakeModelServer.Seen) -> FakeModelReply = { seen in
            var reply = FakeModelReply.text(
                Self.judgement(7, Self.isFirst(seen) ? .analytical : .strategic)
            )
            if !isKilled.withLock({ $0 }) { reply.delay = .seconds(30) }
            return reply
        }
        try await run(judge: judge) { fleet, caller, id, worker in
            try await eventually(within: .seconds(20), "a judgement under way") {
                try await fleet.world.count("kind = 'crew.observe' AND state = 'running'") > 0
            }
            worker.signal(SIGKILL)
            isKilled.withLock { $0 = true }
            let other = try fleet.start("worker")
            #expect(try await end(of: id, caller) == "completed")
            let money = try await fleet.world.postgres.query(
                """
                SELECT r.reserved_nanos = 0 AND r.spent_nanos = (SELECT sum(cost_nanos) FROM llm_calls WHERE run_id = r.id)
                FROM runs r
                """
            )
            let isBooked: Bool? = try money.first?.decode(Bool.self)
            #expect(isBooked == true)
            try await other.stop()
        }
    }
}
