private import Domain
package import Logging
private import PostgresClient
package import Queue
private import Stores

/// Finds runs that wait for a job that does not exist any more, and goes on with them.
///
/// It should find nothing: a task and its job are written together. What it is for are jobs that died, by poison or by
/// failing too often.
package struct CrewRecovery: Sendable {
    private let queue: JobQueue
    private let logger: Logger

    package init(_ queue: JobQueue, logger: Logger) {
        self.queue = queue
        self.logger = logger
    }

    package func run() async throws {
        _ = try await queue.postgres.query(RunLedger.chargeAbandonedCalls(of: nil))
        for row in try await queue.postgres.query(Self.orphans) {
            let (run, task, optional, error) = try row.decode(Run.ID.self, String?.self, Bool.self, String?.self)
            try await recover(run, task, optional, error)
        }
    }

    /// Running runs of which a task, the start or the finish has no live job, with the last words of a dead one.
    private static let orphans: SQL = """
        SELECT r.id, t.task_id, coalesce(t.optional, false),
               (SELECT coalesce(d.error, d.dead_reason) FROM jobs d
                WHERE d.state = 'dead' AND d.finished_at >= r.started_at
                  AND d.unique_key = ANY (CASE WHEN t.task_id IS NULL THEN ARRAY['start:' || r.id, 'finish:' || r.id]
                                          ELSE ARRAY['step:' || r.id || ':' || t.task_id] END)
                ORDER BY d.id DESC LIMIT 1)
        FROM runs r LEFT JOIN run_tasks t ON t.run_id = r.id AND t.status IN ('ready','running')
        WHERE r.status = 'running' AND r.started_at < clock_timestamp() - interval '5 seconds'
          AND (t.task_id IS NULL OR coalesce(t.started_at, t.ready_at) < clock_timestamp() - interval '5 seconds')
          AND NOT EXISTS (
            SELECT 1 FROM jobs j WHERE j.state IN ('queued','running') AND j.unique_key IS NOT NULL AND j.unique_key =
              ANY (CASE WHEN t.task_id IS NULL THEN ARRAY['start:' || r.id, 'finish:' || r.id]
                   ELSE ARRAY['step:' || r.id || ':' || t.task_id] END))
          AND NOT (t.task_id IS NULL AND EXISTS (
            SELECT 1 FROM run_tasks o JOIN jobs j
              ON j.unique_key IN ('observe:' || o.run_id || ':' || o.task_id, 'revise:' || o.run_id || ':' || o.task_id)
            WHERE o.run_id = r.id AND 'pending' IN (o.observation, o.revision) AND j.state IN ('queued','running')))
        LIMIT 200
        """

    private func recover(_ run: Run.ID, _ task: String?, _ optional: Bool, _ error: String?) async throws {
        logger.warning("a run waits for a job that is gone", metadata: ["run": "\(run)", "task": "\(task ?? "-")"])
        guard let task else { return try await recover(run, error) }
        guard let error else {
            return try await write(
                run,
                [
                    "UPDATE run_tasks SET status = 'ready' WHERE run_id = \(run) AND task_id = \(task) AND status = 'running'"
                ]
            )
        }
        let words = "Engine error: \(error)"
        try await write(
            run,
            [
                RunLedger.chargeLostCalls(run: run, task: task),
                RunLedger.failTask(task, of: run, error: words),
                optional ? RunLedger.openDependants(of: task, run) : RunLedger.skipDescendants(of: task, run),
                RunLedger.append([.log(agent: "engagement_manager", "Task failed: \(task): \(words)")], to: run),
            ]
        )
    }

    /// A run without live tasks: it was never planned, or its last job is gone.
    private func recover(_ run: Run.ID, _ error: String?) async throws {
        let planned =
            try await queue.postgres.query("SELECT 1 FROM run_tasks WHERE run_id = \(run) LIMIT 1").first != nil
        guard !planned || error != nil else { return try await write(run, []) }
        let words = "Engine error: \(error ?? "the run's first job is gone")"
        _ = try await queue.transaction { transaction in
            try await transaction.finish(
                [RunLedger.lockEngagement(of: run)] + RunLedger.finishRun(run, as: .failed, error: words)
                    + [RunLedger.append([.log(agent: "engagement_manager", words), .status(.failed)], to: run)]
                    + AnnounceRun.facts(.failed, of: run),
                enqueuing: AnnounceRun.jobs(.failed, of: run)
            )
        }
    }

    private func write(_ run: Run.ID, _ statements: [SQL]) async throws {
        _ = try await queue.transaction { transaction in
            try await transaction.finish(
                [RunLedger.lockRun(run)] + statements
                    + [RunLedger.giveUpDeadObservations(of: run), RunLedger.giveUpDeadRevisions(of: run)],
                enqueuing: [
                    CrewFollowUps.next(of: run), CrewFollowUps.observations(of: run),
                    CrewFollowUps.revisions(of: run),
                ]
            )
        }
    }
}
