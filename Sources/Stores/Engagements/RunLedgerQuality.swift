package import Domain
package import PostgresClient

/// Scores, and the money that judging costs.
extension RunLedger {
    /// Keeps the score of a task's document; that of its new version takes the place of the one before.
    ///
    /// - Parameter judge: the model, or `heuristic`.
    package static func keepScore(
        tenths: Int,
        rubric: Rubric,
        feedback: String,
        judge: String,
        task: String,
        of run: Run.ID
    ) -> SQL {
        """
        INSERT INTO quality_scores (id, tenant_id, run_id, task_id, tenths, rubric, feedback, judge)
        SELECT \(CUID.make()), tenant_id, id, \(task), \(tenths), \(rubric.rawValue), \(feedback), \(judge)
        FROM runs WHERE id = \(run)
        ON CONFLICT (run_id, task_id) DO UPDATE SET tenths = excluded.tenths, rubric = excluded.rubric,
          feedback = excluded.feedback, judge = excluded.judge, created_at = clock_timestamp()
        """
    }

    /// A model shall judge the document; the run does not end before it has, or has given up.
    package static func awaitObservation(of task: String, _ run: Run.ID) -> SQL {
        "UPDATE run_tasks SET observation = 'pending' WHERE run_id = \(run) AND task_id = \(task)"
    }

    /// The judgement is made or given up. Refuses where it is not awaited any more.
    package static func endObservation(of task: String, _ run: Run.ID) -> SQL {
        """
        WITH ended AS (
          UPDATE run_tasks SET observation = 'done'
          WHERE run_id = \(run) AND task_id = \(task) AND observation = 'pending' RETURNING 1)
        SELECT require(EXISTS (SELECT 1 FROM ended), 'the judgement is not awaited any more')
        """
    }

    /// Judgements whose job is dead are given up: a score must never keep a run from its end.
    package static func giveUpDeadObservations(of run: Run.ID) -> SQL {
        """
        UPDATE run_tasks t SET observation = 'done'
        WHERE run_id = \(run) AND observation = 'pending' AND EXISTS (
          SELECT 1 FROM jobs WHERE state = 'dead' AND unique_key = 'observe:' || t.run_id || ':' || t.task_id)
        """
    }

    /// As ``begin(_:announcing:)``, for the judgement of a document that is written.
    package static func beginObservation(_ call: CallDraft) -> SQL {
        begin(call, while: "observation = 'pending'")
    }

    /// A reservation for work on a document that is written already.
    ///
    /// - Parameter condition: what must hold of its task.
    static func begin(_ call: CallDraft, while condition: SQL) -> SQL {
        """
        WITH reserved AS (
          UPDATE runs SET reserved_nanos = reserved_nanos + \(call.reservation)::bigint
          WHERE id = \(call.run) AND status = 'running'
            AND spent_nanos + reserved_nanos + \(call.reservation)::bigint <= budget_nanos AND spent_nanos < budget_nanos
            AND EXISTS (SELECT 1 FROM jobs WHERE id = \(call.job) AND attempt = \(call.attempt) AND state = 'running')
            AND EXISTS (SELECT 1 FROM run_tasks WHERE run_id = \(call.run) AND task_id = \(call.task)
                        AND \(clause: condition))
          RETURNING tenant_id)
        INSERT INTO llm_calls (run_id, task_id, tenant_id, job_id, attempt, agent_slug, model, reason, reserved_nanos)
        SELECT \(call.run), \(call.task), tenant_id, \(call.job), \(call.attempt), \(call.agent), \(call.model),
               \(call.reason), \(call.reservation)::bigint
        FROM reserved RETURNING id
        """
    }
}
