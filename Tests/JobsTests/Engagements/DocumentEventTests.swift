import Domain
import Foundation
import Jobs
import PostgresClient
import Stores
import TestSupport
import Testing

/// What endpoints and live streams hear of documents, scores and money.
@Suite("Events of documents")
struct DocumentEventTests {
    private func subscribe(_ house: ContextHouse, _ events: String) async throws {
        _ = try await house.world.postgres.query(
            """
            INSERT INTO webhook_endpoints (id, tenant_id, livemode, url, events, secret_sealed)
            VALUES (\(UUID().uuidString), \(house.tenant), true, \("https://hooks.example.com/" + events), \([events]), '\\x00')
            """
        )
    }

    private func bodies(_ house: ContextHouse, _ type: String) async throws -> [JSON] {
        try await house.world.postgres.query(
            "SELECT convert_from(body, 'UTF8')::jsonb FROM events WHERE type = \(type) ORDER BY created_at"
        ).map { try $0.decode(JSON.self) }
    }

    @Test("T-22: deliverable.ready and quality.scored come once per document, with their deliveries and jobs")
    func once() async throws {
        let house = try await ContextHouse.open()
        try await subscribe(house, "*")
        try await subscribe(house, "deliverable.ready")
        let run = try await house.startCrew()
        try await house.finish(run)
        let ready = try await bodies(house, "deliverable.ready")
        let document = try await house.column("SELECT id FROM deliverables WHERE filename = 'loggers.md'")
        #expect(ready.count == 1 && ready[0]["livemode"] == true && ready[0]["type"] == "deliverable.ready")
        let data: JSON = [
            "engagementId": .string(house.engagement.rawValue), "runId": .string(run.rawValue),
            "deliverableId": .string(document[0]), "taskId": "loggers", "filename": "loggers.md", "version": 1,
        ]
        #expect(ready[0]["data"] == data)
        let scored = try await bodies(house, "quality.scored")
        let score = try await house.column("SELECT (tenths / 10::numeric)::text FROM quality_scores")
        #expect(scored.count == 1 && scored[0]["data"]?["taskName"] == "loggers")
        #expect(scored[0]["data"]?["score"]?.doubleValue == Double(score[0]))
        #expect(scored[0]["data"]?["deliverableId"] == data["deliverableId"])
        let deliveries = try await house.column(
            """
            SELECT v.type || ' ' || count(*) FROM webhook_deliveries d JOIN events v ON v.id = d.event_id
            WHERE v.type IN ('deliverable.ready','quality.scored') GROUP BY v.type ORDER BY v.type
            """
        )
        #expect(deliveries == ["deliverable.ready 2", "quality.scored 1"])
        let jobs = try await house.world.count(
            """
            kind = 'webhook.deliver' AND payload->>'delivery' IN (
              SELECT d.id FROM webhook_deliveries d JOIN events v ON v.id = d.event_id
              WHERE v.type IN ('deliverable.ready','quality.scored'))
            """
        )
        #expect(jobs == 3)
        await house.world.close()
    }

    @Test("Nobody who listens, no event")
    func unheard() async throws {
        let house = try await ContextHouse.open()
        try await subscribe(house, "submission.created")
        try await house.finish(house.startCrew())
        #expect(try await bodies(house, "deliverable.ready").isEmpty)
        await house.world.close()
    }

    @Test(
        "E-46: a cost event says what the run has spent by then, though steps that run side by side know of one another nothing"
    )
    func cost() async throws {
        let house = try await ContextHouse.open()
        let run = try await house.startCrew()
        let calls = try await ["a", "b"].asyncMap { task in
            try await house.world.postgres.query(
                """
                INSERT INTO llm_calls (run_id, task_id, tenant_id, job_id, attempt, agent_slug, model, reason, reserved_nanos)
                VALUES (\(run), \(task), \(house.tenant), 1, 1, 'x', 'm', 'r', 0) RETURNING id
                """
            ).first?.decode(Int.self) ?? 0
        }
        for call in calls {
            let cost = NanoUSD(nanos: 10_000_000)
            // Both began when nothing was spent.
            _ = try await house.world.postgres.query(
                RunLedger.book(
                    RunLedger.CallEnd(call: call, state: .settled, cost: cost),
                    of: run,
                    announcing: [.taskComplete("t"), .cost]
                )
            )
        }
        let told = try await house.world.postgres.query(
            "SELECT data FROM run_events WHERE run_id = \(run) AND type = 'cost' ORDER BY seq"
        ).map { try $0.decode(JSON.self) }
        #expect(told == [["estimated_cost": 0.01], ["estimated_cost": 0.02]])
        await house.world.close()
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ make: (Element) async throws -> Value) async rethrows -> [Value] {
        var made: [Value] = []
        for element in self { made.append(try await make(element)) }
        return made
    }
}
