import Domain
import PostgresClient
import Queue

/// The jobs that follow from a run's tables, inserted by the statement that sees the tables: a ready task can never be
/// without its job, nor have two of them, because the job's unique key names run and task.
enum CrewFollowUps {
    /// One step job per ready task that has none.
    ///
    /// - Parameters:
    ///   - waitedFor: only tasks that depend on this one; nil takes all ready ones.
    ///   - session: takes the first of them at once.
    static func readySteps(of run: Run.ID, waitedFor task: String? = nil, handOverTo session: Int? = nil) -> SQL {
        """
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key,
                          state, attempt, session, claimed_at)
        SELECT \(JobKind.crewStep.rawValue), \(CrewStep.policy.queue.rawValue), t.tenant_id,
               \(CrewStep.policy.priority)::smallint, \(CrewStep.policy.retry.attempts),
               jsonb_build_object('run', t.run_id, 'task', t.task_id), 'step:' || t.run_id || ':' || t.task_id,
               \(clause: Ledger.bornClaimed("row_number() OVER (ORDER BY t.position)"))
        FROM run_tasks t JOIN runs r ON r.id = t.run_id \(clause: Ledger.offer(to: session, in: CrewStep.policy.queue.rawValue))
        WHERE t.run_id = \(run) AND t.status = 'ready' AND r.status = 'running'
          AND (\(task)::text IS NULL OR \(task) = ANY (t.depends_on))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returningFollowUps)
        """
    }

    /// One job per document that a model shall judge and that has none.
    ///
    /// - Parameter task: only the document of this one; nil takes all.
    static func observations(of run: Run.ID, task: String? = nil) -> SQL {
        """
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key)
        SELECT \(JobKind.observeTask.rawValue), \(ObserveTask.policy.queue.rawValue), t.tenant_id,
               \(ObserveTask.policy.priority)::smallint, \(ObserveTask.policy.retry.attempts),
               jsonb_build_object('run', t.run_id, 'task', t.task_id), 'observe:' || t.run_id || ':' || t.task_id
        FROM run_tasks t JOIN runs r ON r.id = t.run_id
        WHERE t.run_id = \(run) AND t.observation = 'pending' AND r.status = 'running'
          AND (\(task)::text IS NULL OR t.task_id = \(task))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returningFollowUps)
        """
    }

    /// The last job of a run, once no task is left and no judgement is awaited.
    static func finish(of run: Run.ID, handOverTo session: Int? = nil) -> SQL {
        """
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key,
                          state, attempt, session, claimed_at)
        SELECT \(JobKind.finishCrew.rawValue), \(FinishCrew.policy.queue.rawValue), r.tenant_id,
               \(FinishCrew.policy.priority)::smallint, \(FinishCrew.policy.retry.attempts),
               jsonb_build_object('run', r.id), 'finish:' || r.id, \(clause: Ledger.bornClaimed("1"))
        FROM runs r \(clause: Ledger.offer(to: session, in: FinishCrew.policy.queue.rawValue))
        WHERE r.id = \(run) AND r.status = 'running' AND EXISTS (SELECT 1 FROM run_tasks WHERE run_id = r.id)
          AND NOT EXISTS (SELECT 1 FROM run_tasks WHERE run_id = r.id AND (status IN ('waiting','ready','running') OR observation = 'pending'))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returningFollowUps)
        """
    }
}
