package import Domain
package import PostgresClient

extension RunStore {
    /// How long ago the first call of this job failed: its patience is counted from there. Zero where none has.
    ///
    /// - Parameter job: the step's job; the step that goes on from its text has another one, and begins anew.
    package func sinceFirstFault(_ run: Run.ID, task: String, job: Int) async throws(PostgresError) -> Duration {
        let result = try await postgres.query(
            """
            SELECT coalesce(extract(epoch FROM clock_timestamp() - min(finished_at)), 0)::float8 FROM llm_calls
            WHERE run_id = \(run) AND task_id = \(task) AND job_id = \(job) AND state IN ('failed','unknown')
            """
        )
        return .seconds(max(0, try result.first?.decode(Double.self) ?? 0))
    }
}
