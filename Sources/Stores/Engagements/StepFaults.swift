package import Domain
package import PostgresClient

/// What has befallen the calls of one step.
package struct StepFaults: Sendable, Equatable {
    /// Calls that failed.
    package let calls: Int
    /// Since the first of them: the step's patience is counted from there. Zero where none has failed, and where the job has
    /// waited for a rate, which is no fault.
    package let elapsed: Duration
}

extension RunStore {
    /// The failed calls of a step's job.
    ///
    /// - Parameter job: the step that goes on from its text has another one, and begins anew.
    package func faults(_ run: Run.ID, task: String, job: Int) async throws(PostgresError) -> StepFaults {
        let result = try await postgres.query(
            """
            SELECT count(*), CASE WHEN EXISTS (
                SELECT 1 FROM run_tasks WHERE run_id = \(run) AND task_id = \(task) AND paced_job = \(job)::bigint) THEN 0
              ELSE coalesce(extract(epoch FROM clock_timestamp() - min(finished_at)), 0) END::float8
            FROM llm_calls
            WHERE run_id = \(run) AND task_id = \(task) AND job_id = \(job) AND state IN ('failed','unknown')
              AND fault IS DISTINCT FROM \(RunLedger.neverMade)
            """
        )
        guard let row = result.first else { return StepFaults(calls: 0, elapsed: .zero) }
        let (calls, seconds) = try row.decode(Int.self, Double.self)
        return StepFaults(calls: calls, elapsed: .seconds(max(0, seconds)))
    }
}
