import Domain
import PostgresClient
import Queue

/// The jobs that follow from a run's tables, inserted by the statement that sees the tables: a ready task can never be
/// without its job, nor have two of them, because the job's unique key names run and task.
enum CrewFollowUps {
    /// What follows when a task has ended: the steps it opens, or the run's last job where nothing is left. In one statement,
    /// because every step of every run pays for it.
    ///
    /// - Parameters:
    ///   - task: only tasks that depend on this one; nil takes all ready ones.
    ///   - session: takes the first of them at once.
    static func next(of run: Run.ID, after task: String? = nil, handOverTo session: Int? = nil) -> SQL {
        let condition: SQL = "(\(task)::text IS NULL OR \(task) = ANY (t.depends_on))"
        let rows: SQL = "\(clause: stepRows(of: run, where: condition)) UNION ALL \(clause: lastRow(of: run))"
        return insert(rows, handOverTo: session)
    }

    /// One step job per ready task that has none.
    ///
    /// - Parameter session: takes the first of them at once.
    static func readySteps(of run: Run.ID, handOverTo session: Int? = nil) -> SQL {
        insert(stepRows(of: run, where: "true"), handOverTo: session)
    }

    /// One step job per question that a task has just asked.
    ///
    /// - Parameter session: takes the first of them at once.
    static func answers(to task: String, of run: Run.ID, handOverTo session: Int?) -> SQL {
        insert(stepRows(of: run, where: "t.config->>'askedBy' = \(task)"), handOverTo: session)
    }

    /// The last job of a run, once no task is left and neither a judgement nor a revision is awaited.
    static func finish(of run: Run.ID) -> SQL {
        insert(lastRow(of: run), handOverTo: nil)
    }

    /// One job per document that a model shall judge and that has none.
    ///
    /// - Parameter task: only the document of this one; nil takes all.
    static func observations(of run: Run.ID, task: String? = nil) -> SQL {
        awaited("observation", by: .observeTask, ObserveTask.policy, as: "observe", of: run, task)
    }

    /// One job per document that shall be written once more and that has none.
    ///
    /// - Parameter task: only the document of this one; nil takes all.
    static func revisions(of run: Run.ID, task: String? = nil) -> SQL {
        awaited("revision", by: .reviseTask, ReviseTask.policy, as: "revise", of: run, task)
    }

    /// - Parameters:
    ///   - column: of `run_tasks`; what is `pending` there is awaited.
    ///   - name: first part of the jobs' unique keys.
    private static func awaited(
        _ column: StaticString,
        by kind: JobKind,
        _ policy: JobPolicy,
        as name: String,
        of run: Run.ID,
        _ task: String?
    ) -> SQL {
        """
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key)
        SELECT \(kind.rawValue), \(policy.queue.rawValue), t.tenant_id, \(policy.priority)::smallint, \(policy.retry.attempts),
               jsonb_build_object('run', t.run_id, 'task', t.task_id), \(name) || ':' || t.run_id || ':' || t.task_id
        FROM run_tasks t JOIN runs r ON r.id = t.run_id
        WHERE t.run_id = \(run) AND t.\(clause: SQL(trusted: "\(column)")) = 'pending' AND r.status = 'running'
          AND (\(task)::text IS NULL OR t.task_id = \(task))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returningFollowUps)
        """
    }

    // MARK: Rows

    private static func stepRows(of run: Run.ID, where condition: SQL) -> SQL {
        """
        SELECT \(JobKind.crewStep.rawValue), \(CrewStep.policy.priority)::smallint, \(CrewStep.policy.retry.attempts)::int,
               t.tenant_id, jsonb_build_object('run', t.run_id, 'task', t.task_id),
               'step:' || t.run_id || ':' || t.task_id, row_number() OVER (ORDER BY t.position)
        FROM run_tasks t JOIN runs r ON r.id = t.run_id
        WHERE t.run_id = \(run) AND t.status = 'ready' AND r.status = 'running'
          AND \(clause: condition)
        """
    }

    private static func lastRow(of run: Run.ID) -> SQL {
        """
        SELECT \(JobKind.finishCrew.rawValue), \(FinishCrew.policy.priority)::smallint,
               \(FinishCrew.policy.retry.attempts)::int, r.tenant_id, jsonb_build_object('run', r.id), 'finish:' || r.id, 1
        FROM runs r
        WHERE r.id = \(run) AND r.status = 'running' AND EXISTS (SELECT 1 FROM run_tasks WHERE run_id = r.id)
          AND NOT EXISTS (SELECT 1 FROM run_tasks WHERE run_id = r.id
                          AND (status IN ('waiting','ready','running') OR observation = 'pending' OR revision = 'pending'))
        """
    }

    /// - Parameter rows: kind, priority, attempts, tenant, payload, unique key and number of each; the one whose number is 1
    ///   goes to the session.
    private static func insert(_ rows: SQL, handOverTo session: Int?) -> SQL {
        """
        WITH next (kind, priority, attempts, tenant, payload, key, number) AS (\(clause: rows))
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key,
                          state, attempt, session, claimed_at)
        SELECT kind, \(QueueName.crew.rawValue), tenant, priority, attempts, payload, key,
               \(clause: Ledger.bornClaimed("number"))
        FROM next \(clause: Ledger.offer(to: session, in: QueueName.crew.rawValue))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returningFollowUps)
        """
    }
}
