package import Domain
package import PostgresClient

/// Tasks that wait for the rate of their provider.
extension RunLedger {
    /// A rate is no fault: what it takes does not count against the patience with a provider that is held.
    package static func forgetHold(of task: String, _ run: Run.ID) -> SQL {
        "UPDATE run_tasks SET held_since = NULL WHERE run_id = \(run) AND task_id = \(task) AND held_since IS NOT NULL"
    }

    /// Says in the log of a run at work that a task waits, once for each job: nothing is written where it has said so.
    ///
    /// - Parameter line: a log line.
    package static func tellOfPace(_ line: RunEvent, of task: String, _ run: Run.ID, job: Int) -> SQL {
        """
        WITH numbered AS (
          UPDATE runs SET last_seq = last_seq + 1, log_count = log_count + 1
          WHERE id = \(run) AND status IN ('running','paused') AND EXISTS (
            SELECT 1 FROM run_tasks WHERE run_id = \(run) AND task_id = \(task) AND paced_job IS DISTINCT FROM \(job)::bigint)
          RETURNING tenant_id, last_seq, log_count, spent_nanos),
        told AS (
          UPDATE run_tasks SET paced_job = \(job)::bigint
          WHERE run_id = \(run) AND task_id = \(task) AND EXISTS (SELECT 1 FROM numbered))
        \(clause: insertEvents([line], run))
        """
    }
}
