import PostgresClient
import TestSupport
import Testing

extension FleetUnderTest {
    /// What one number a query gives.
    func number(_ sql: SQL) async throws -> Int {
        try await world.postgres.query(sql).first?.decode(Int.self) ?? -1
    }

    /// Waits until every call to a model is booked, and looks at money and events: they hold whatever became of a run.
    func checkBooks() async throws {
        try await eventually(within: .seconds(20), "all calls to be booked") {
            try await number("SELECT count(*) FROM llm_calls WHERE state = 'open'") == 0
        }
        let wrong = try await number(
            """
            SELECT count(*) FROM runs r WHERE status <> 'running' AND (reserved_nanos <> 0
              OR spent_nanos <> (SELECT coalesce(sum(cost_nanos), 0) FROM llm_calls WHERE run_id = r.id))
            """
        )
        let gaps = try await number(
            "SELECT count(*) FROM runs r WHERE last_seq <> (SELECT count(*) FROM run_events WHERE run_id = r.id)"
        )
        #expect(wrong == 0, "runs whose spending is not the sum of their calls")
        #expect(gaps == 0, "runs with a gap in their events")
    }
}
