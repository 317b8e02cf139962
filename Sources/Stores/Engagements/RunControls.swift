package import Domain
package import PostgresClient

/// Stop, pause and resume: guarded statements in the lock of the engagement and its run, in that order.
///
/// What a worker does meanwhile is decided by the same locks: a result lands before the stop, or is refused after it.
package enum RunControls {
    /// What a control found.
    package enum Target: Sendable {
        case run(Run.ID, Run.Status)
        case notFound
        /// No run is under way.
        case idle
    }

    /// Locks the engagement and the run that is under way.
    package static func lock(
        _ id: Engagement.ID,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> Target {
        let found = try await transaction.pipeline([
            "SELECT 1 FROM engagements WHERE id = \(id) AND tenant_id = \(caller.tenant) FOR NO KEY UPDATE",
            """
            SELECT id, status FROM runs WHERE engagement_id = \(id) AND tenant_id = \(caller.tenant)
              AND status IN ('running','paused') FOR NO KEY UPDATE
            """,
        ])
        guard found[0].first != nil else { return .notFound }
        guard let row = found[1].first else { return .idle }
        let (run, status) = try row.decode(Run.ID.self, Run.Status.self)
        return .run(run, status)
    }

    private static func show(_ run: Run.ID, _ status: Engagement.Status) -> SQL {
        """
        UPDATE engagements SET status = \(status), updated_at = clock_timestamp()
        WHERE id = (SELECT engagement_id FROM runs WHERE id = \(run))
        """
    }

    // MARK: Stop

    /// The text that callers read as the run's error.
    package static let stopped = "Stopped by user"

    /// The run has failed, and nothing of it goes on.
    package static func stop(_ run: Run.ID) -> [SQL] {
        [
            """
            UPDATE runs SET status = 'failed', error = \(stopped), finished_at = clock_timestamp(), pause_snapshot = NULL
            WHERE id = \(run)
            """,
            show(run, .failed),
            """
            UPDATE run_tasks SET status = 'skipped', error = \(stopped), finished_at = clock_timestamp()
            WHERE run_id = \(run) AND status IN ('waiting','ready','running')
            """,
            RunLedger.append([.log(agent: "engagement_manager", stopped), .status(.failed)], to: run),
        ]
    }

    // MARK: Pause

    /// No step begins any more. The snapshot is for people; resuming reads the tables.
    package static func pause(_ run: Run.ID) -> [SQL] {
        [
            """
            WITH tasks AS (
              SELECT t.task_id, t.position, t.status, t.status = 'running' AND EXISTS (
                SELECT 1 FROM jobs WHERE state = 'running' AND unique_key = 'step:' || t.run_id || ':' || t.task_id
              ) AS in_flight FROM run_tasks t WHERE t.run_id = \(run))
            UPDATE runs SET status = 'paused', pause_snapshot = jsonb_build_object(
              'pausedAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              'completedTasks', (SELECT coalesce(jsonb_agg(task_id ORDER BY position), '[]') FROM tasks
                                 WHERE status = 'completed'),
              'inFlightTasks', (SELECT coalesce(jsonb_agg(task_id ORDER BY position), '[]') FROM tasks WHERE in_flight),
              'remainingTasks', (SELECT coalesce(jsonb_agg(task_id ORDER BY position), '[]') FROM tasks
                                 WHERE status IN ('waiting','ready','running') AND NOT in_flight),
              'estimatedCost', spent_nanos / 1e9::numeric, 'steps', steps)
            WHERE id = \(run)
            """,
            show(run, .paused),
            RunLedger.append([.log(agent: "engagement_manager", "Paused by user"), .status(.paused)], to: run),
        ]
    }

    // MARK: Resume

    /// The run is at work again; what was cut off begins anew, what is finished stays.
    package static func resume(_ run: Run.ID) -> [SQL] {
        [
            "UPDATE runs SET status = 'running', pause_snapshot = NULL WHERE id = \(run)",
            show(run, .running),
            RunLedger.chargeAbandonedCalls(of: run),
            "UPDATE run_tasks SET held_since = NULL WHERE run_id = \(run) AND held_since IS NOT NULL",
            """
            UPDATE run_tasks t SET status = 'ready', ready_at = clock_timestamp()
            WHERE run_id = \(run) AND status = 'running' AND NOT EXISTS (
              SELECT 1 FROM jobs WHERE state IN ('queued','running')
                AND unique_key = 'step:' || t.run_id || ':' || t.task_id)
            """,
            RunLedger.append([.log(agent: "engagement_manager", "Resumed by user"), .status(.running)], to: run),
        ]
    }
}

extension RunLedger {
    /// Calls whose job runs no more under the attempt that made them: nobody knows what became of them, so they stay
    /// charged at their reservation.
    ///
    /// - Parameter run: nil looks at all runs that have ended.
    package static func chargeAbandonedCalls(of run: Run.ID?) -> SQL {
        """
        WITH lost AS (
          UPDATE llm_calls c SET state = 'unknown', cost_nanos = reserved_nanos, finished_at = clock_timestamp(),
                 fault = 'the worker was lost'
          WHERE c.state = 'open' AND (c.run_id = \(run)::text OR (\(run)::text IS NULL
              AND c.started_at < clock_timestamp() - interval '10 seconds'
              AND EXISTS (SELECT 1 FROM runs WHERE id = c.run_id AND status IN ('completed','failed'))))
            AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = c.job_id AND j.attempt = c.attempt AND j.state = 'running')
          RETURNING run_id, reserved_nanos),
        total AS (SELECT run_id, sum(reserved_nanos)::bigint AS nanos FROM lost GROUP BY run_id)
        UPDATE runs SET spent_nanos = spent_nanos + nanos, reserved_nanos = reserved_nanos - nanos
        FROM total WHERE id = total.run_id
        """
    }
}
