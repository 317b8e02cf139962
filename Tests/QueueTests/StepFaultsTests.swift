import Domain
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@Suite("Faults of a step, on a real Postgres")
struct StepFaultsTests {
    @Test("A step's patience is counted from the first failed call of its own job")
    func elapsed() async throws {
        let world = try await World.fresh()
        let tenant = try await world.stores.accounts.createTenant(name: "T", plan: .starter).id
        let run = Run.ID.make()
        _ = try await world.postgres.query(
            """
            WITH e AS (
              INSERT INTO engagements (id, tenant_id, name, slug, client, brief, budget_nanos)
              VALUES ('e', \(tenant), 'n', 'n', 'c', 'b', 1) RETURNING id, tenant_id)
            INSERT INTO runs (id, tenant_id, engagement_id, status, budget_nanos)
            SELECT \(run), tenant_id, id, 'running', 1 FROM e
            """
        )
        func faults(_ job: Int) async throws -> StepFaults {
            try await world.stores.runs.faults(run, task: "a", job: job)
        }
        let none = try await faults(1)
        #expect(none.calls == 0 && none.elapsed == .zero)
        _ = try await world.postgres.query(
            """
            INSERT INTO llm_calls (run_id, task_id, tenant_id, job_id, attempt, agent_slug, model, reason, state,
                                   reserved_nanos, finished_at)
            SELECT \(run), 'a', \(tenant), job, 1, 's', 'm', 'r', state, 0, clock_timestamp() - age
            FROM (VALUES (1, 'failed', interval '601 seconds'), (1, 'unknown', interval '5 seconds'),
                         (2, 'settled', interval '900 seconds'), (2, 'failed', interval '3 seconds')) v (job, state, age)
            """
        )
        let (first, second) = (try await faults(1), try await faults(2))
        #expect(first.calls == 2 && first.elapsed >= .seconds(601) && first.elapsed < .seconds(660))
        #expect(second.calls == 1 && second.elapsed >= .seconds(3) && second.elapsed < .seconds(60))
        await world.close()
    }
}
