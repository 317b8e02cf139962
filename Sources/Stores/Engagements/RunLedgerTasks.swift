package import Domain
package import PostgresClient

/// The tasks of a run: from `waiting` to an end, and what that opens or closes behind them.
extension RunLedger {
    /// One planned task, as the ledger keeps it.
    package struct TaskRow: Sendable {
        package let id: String
        package let agent: String
        package let config: String
        package let dependsOn: [String]
        package let optional: Bool

        package init(id: String, agent: String, config: String, dependsOn: [String], optional: Bool) {
            self.id = id
            self.agent = agent
            self.config = config
            self.dependsOn = dependsOn
            self.optional = optional
        }
    }

    /// Writes a plan's tasks; those without dependencies are ready.
    package static func addTasks(_ tasks: [TaskRow], to run: Run.ID) -> SQL {
        """
        INSERT INTO run_tasks (run_id, task_id, tenant_id, position, agent_slug, config, depends_on, deps_left, optional,
                               status, ready_at)
        SELECT r.id, t.id, r.tenant_id, t.no, t.agent, t.config::jsonb, t.depends::text[], cardinality(t.depends::text[]),
               t.optional, CASE WHEN t.depends = '{}' THEN 'ready' ELSE 'waiting' END, clock_timestamp()
        FROM runs r,
             unnest(\(tasks.map(\.id))::text[], \(tasks.map(\.agent))::text[], \(tasks.map(\.config))::text[],
                    \(tasks.map(\.dependsOn.postgresText))::text[], \(tasks.map(\.optional))::boolean[])
               WITH ORDINALITY AS t(id, agent, config, depends, optional, no)
        WHERE r.id = \(run)
        """
    }

    /// The task is completed, its document is written, and those that waited for it have one dependency less.
    ///
    /// - Parameters:
    ///   - document: a statement of ``addDeliverable(filename:content:words:task:of:)``.
    ///   - score: one of ``keepScore(tenths:rubric:feedback:judge:task:of:)``, where it is known already.
    package static func completeTask(
        _ task: String,
        of run: Run.ID,
        cost: NanoUSD,
        _ document: SQL,
        score: SQL? = nil
    ) -> SQL {
        let judged: SQL = score.map { ", score AS (\(clause: $0))" } ?? ""
        return """
            WITH done AS (
              UPDATE run_tasks SET status = 'completed', finished_at = clock_timestamp(), steps = steps + 1, draft = NULL,
                cost_nanos = cost_nanos + \(cost)::bigint, held_since = NULL
              WHERE run_id = \(run) AND task_id = \(task) AND status = 'running' RETURNING 1),
            document AS (\(clause: document)),
            opened AS (\(clause: openDependants(of: task, run)))\(clause: judged)
            SELECT require(EXISTS (SELECT 1 FROM done), 'the task is not running')
            """
    }

    /// The answer was cut off: what there is waits for the next step of the same task.
    package static func keepDraft(_ draft: String, of task: String, _ run: Run.ID, cost: NanoUSD) -> SQL {
        """
        UPDATE run_tasks SET draft = \(draft), steps = steps + 1, cost_nanos = cost_nanos + \(cost)::bigint,
          held_since = NULL
        WHERE run_id = \(run) AND task_id = \(task) AND status = 'running'
        """
    }

    /// A new version of a document, counted under the run's lock.
    package static func addDeliverable(
        filename: String,
        content: String,
        words: Int,
        task: String,
        of run: Run.ID
    ) -> SQL {
        """
        INSERT INTO deliverables (id, tenant_id, engagement_id, run_id, task_id, filename, content, version, word_count)
        SELECT \(Deliverable.ID.make()), r.tenant_id, r.engagement_id, r.id, \(task), \(filename), \(content),
               coalesce((SELECT max(version) FROM deliverables
                         WHERE engagement_id = r.engagement_id AND filename = \(filename)), 0) + 1, \(words)
        FROM runs r WHERE r.id = \(run)
        """
    }

    /// One dependency less for those that waited for this task.
    package static func openDependants(of task: String, _ run: Run.ID) -> SQL {
        """
        UPDATE run_tasks SET deps_left = deps_left - 1,
          status = CASE WHEN deps_left = 1 THEN 'ready' ELSE status END,
          ready_at = CASE WHEN deps_left = 1 THEN clock_timestamp() ELSE ready_at END
        WHERE run_id = \(run) AND status = 'waiting' AND \(task) = ANY (depends_on)
        """
    }

    package static func failTask(_ task: String, of run: Run.ID, error: String) -> SQL {
        """
        UPDATE run_tasks SET status = 'failed', error = \(error), finished_at = clock_timestamp()
        WHERE run_id = \(run) AND task_id = \(task) AND status IN ('ready','running')
        """
    }

    /// Everything that needs a failed task, directly or not, is skipped; branches that do not need it go on.
    package static func skipDescendants(of task: String, _ run: Run.ID) -> SQL {
        """
        WITH RECURSIVE lost AS (
          SELECT task_id FROM run_tasks WHERE run_id = \(run) AND \(task) = ANY (depends_on)
          UNION SELECT t.task_id FROM run_tasks t JOIN lost ON lost.task_id = ANY (t.depends_on) WHERE t.run_id = \(run))
        UPDATE run_tasks SET status = 'skipped', finished_at = clock_timestamp()
        WHERE run_id = \(run) AND status = 'waiting' AND task_id IN (SELECT task_id FROM lost)
        """
    }

    /// Nothing new begins: the run ends when what is in flight has ended.
    package static func skipRest(of run: Run.ID, error: String) -> [SQL] {
        [
            """
            UPDATE run_tasks SET status = 'skipped', finished_at = clock_timestamp()
            WHERE run_id = \(run) AND status IN ('waiting','ready')
            """,
            "UPDATE runs SET error = coalesce(error, \(error)) WHERE id = \(run)",
        ]
    }

    /// The run's last word. Refuses when the run is not at work any more.
    package static func finishRun(_ run: Run.ID, as status: Run.Status, error: String?) -> [SQL] {
        [
            """
            WITH finished AS (
              UPDATE runs SET status = \(status), error = \(error), finished_at = clock_timestamp(), pause_snapshot = NULL
              WHERE id = \(run) AND status = 'running' RETURNING engagement_id),
            shown AS (
              UPDATE engagements SET status = \(status), updated_at = clock_timestamp()
              WHERE id = (SELECT engagement_id FROM finished))
            SELECT require(EXISTS (SELECT 1 FROM finished), 'the run has ended')
            """
        ]
    }
}
