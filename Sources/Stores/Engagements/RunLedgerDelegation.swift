package import Domain
package import PostgresClient

/// Tasks that ask colleagues before they write, and the answers (engine 3.9).
extension RunLedger {
    /// The task waits for its questions, which are ready. Refuses where it does not run, or has asked before.
    ///
    /// - Parameters:
    ///   - answers: the tasks that answer; what they depend on is completed.
    ///   - questions: for the task's configuration; with them it cannot ask again.
    package static func delegate(
        _ task: String,
        of run: Run.ID,
        to answers: [TaskRow],
        questions: [DelegatedQuestion],
        cost: NanoUSD
    ) -> SQL {
        let asked = questions.map { JSON.object(["to": .string($0.to), "question": .string($0.question)]) }
        return """
            WITH parent AS (
              UPDATE run_tasks SET status = 'waiting', deps_left = \(answers.count),
                depends_on = depends_on || \(answers.map(\.id))::text[], steps = steps + 1,
                cost_nanos = cost_nanos + \(cost)::bigint, held_since = NULL,
                config = config || \(JSON.object(["asked": .array(asked)]).text)::jsonb
              WHERE run_id = \(run) AND task_id = \(task) AND status = 'running' AND config->'asked' IS NULL
              RETURNING run_id, tenant_id),
            answers AS (
              INSERT INTO run_tasks (run_id, task_id, tenant_id, position, agent_slug, config, depends_on, deps_left,
                                     optional, status, ready_at)
              SELECT p.run_id, t.id, p.tenant_id,
                     (SELECT max(position) FROM run_tasks WHERE run_id = \(run)) + t.no, t.agent, t.config::jsonb,
                     t.depends::text[], 0, true, 'ready', clock_timestamp()
              FROM parent p,
                   unnest(\(answers.map(\.id))::text[], \(answers.map(\.agent))::text[],
                          \(answers.map(\.config))::text[], \(answers.map(\.dependsOn.postgresText))::text[])
                     WITH ORDINALITY AS t(id, agent, config, depends, no))
            SELECT require(EXISTS (SELECT 1 FROM parent), 'the task cannot ask')
            """
    }

    /// Nobody was asked: the same task writes its document in one more step, from the beginning.
    ///
    /// - Parameter why: what the next prompt says.
    package static func refuseDelegation(of task: String, _ run: Run.ID, why: String, cost: NanoUSD) -> SQL {
        """
        WITH refused AS (
          UPDATE run_tasks SET draft = NULL, steps = steps + 1, cost_nanos = cost_nanos + \(cost)::bigint,
            held_since = NULL, config = config || \(JSON.object(["refused": .string(why)]).text)::jsonb
          WHERE run_id = \(run) AND task_id = \(task) AND status = 'running' RETURNING 1)
        SELECT require(EXISTS (SELECT 1 FROM refused), 'the task is not running')
        """
    }

    /// A question is answered: the answer stays with its task, and the one that asked has one dependency less.
    package static func keepAnswer(_ answer: String, of task: String, _ run: Run.ID, cost: NanoUSD) -> SQL {
        """
        WITH done AS (
          UPDATE run_tasks SET status = 'completed', finished_at = clock_timestamp(), steps = steps + 1, draft = NULL,
            cost_nanos = cost_nanos + \(cost)::bigint, held_since = NULL, answer = \(answer)
          WHERE run_id = \(run) AND task_id = \(task) AND status = 'running' RETURNING 1),
        opened AS (\(clause: openDependants(of: task, run)))
        SELECT require(EXISTS (SELECT 1 FROM done), 'the task is not running')
        """
    }
}

/// What a run could pay while one of its calls is open.
package struct RunRoom: Sendable {
    /// Of the budget, with nothing set aside for this call.
    package let left: NanoUSD
    /// What this call set aside.
    package let reservation: NanoUSD
    /// Tasks that are not written yet, the call's own included.
    package let openTasks: Int
}

extension RunStore {
    /// The run has failed already, and only what is in flight goes on.
    package func isEnding(_ run: Run.ID) async throws(PostgresError) -> Bool {
        try await postgres.query("SELECT 1 FROM runs WHERE id = \(run) AND error IS NOT NULL").first != nil
    }

    /// - Returns: nil where run or call are gone.
    package func room(in run: Run.ID, during call: Int) async throws(PostgresError) -> RunRoom? {
        let found = try await postgres.query(
            """
            SELECT r.budget_nanos - r.spent_nanos - r.reserved_nanos + c.reserved_nanos, c.reserved_nanos,
                   (SELECT count(*) FROM run_tasks WHERE run_id = r.id AND status IN ('waiting','ready','running'))
            FROM runs r JOIN llm_calls c ON c.run_id = r.id AND c.id = \(call) WHERE r.id = \(run)
            """
        )
        guard let row = found.first else { return nil }
        let (left, reservation, open) = try row.decode(NanoUSD.self, NanoUSD.self, Int.self)
        return RunRoom(left: left, reservation: reservation, openTasks: open)
    }
}
