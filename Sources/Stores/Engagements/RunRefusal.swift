package import Domain
package import PostgresClient

extension RunStore {
    /// Writes down that a start was refused by the engine: a run that failed before it began, and its engagement with it.
    ///
    /// Does nothing where the engagement has meanwhile begun to run, is paused, or is not the tenant's.
    /// - Parameter error: why, as the caller was told it.
    package func refuse(_ id: Engagement.ID, for caller: Caller, error: String) async throws(PostgresError) {
        let run = Run.ID.make()
        _ = try await postgres.pipeline([
            """
            WITH refused AS (
              UPDATE engagements SET status = 'failed', updated_at = now()
              WHERE id = \(id) AND tenant_id = \(caller.tenant) AND status IN ('pending','completed','failed')
              RETURNING id, tenant_id, budget_nanos)
            INSERT INTO runs (id, tenant_id, engagement_id, status, started_by, budget_nanos, error, finished_at)
            SELECT \(run), tenant_id, id, 'failed', \(caller.user), budget_nanos, \(error), now() FROM refused
            """,
            RunLedger.append([.status(.failed)], to: run),
        ])
    }
}
