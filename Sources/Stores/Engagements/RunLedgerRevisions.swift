package import Domain
package import PostgresClient

/// Documents that are written once more after a low score (engine 3.8).
extension RunLedger {
    /// The document shall be written once more; the run does not end before. At most once for each task.
    package static func awaitRevision(of task: String, _ run: Run.ID) -> SQL {
        """
        UPDATE run_tasks SET revision = 'pending', held_since = NULL
        WHERE run_id = \(run) AND task_id = \(task) AND revision IS NULL
        """
    }

    /// As ``begin(_:announcing:)``, for the new version of a document.
    package static func beginRevision(_ call: CallDraft) -> SQL {
        begin(call, while: "revision = 'pending'")
    }

    /// The new version is written, by this model. Refuses where it is not awaited any more.
    package static func endRevision(of task: String, _ run: Run.ID, model: String, reason: String, cost: NanoUSD) -> SQL
    {
        """
        WITH ended AS (
          UPDATE run_tasks SET revision = 'done', model = \(model), route_reason = \(reason), steps = steps + 1,
            cost_nanos = cost_nanos + \(cost)::bigint, held_since = NULL
          WHERE run_id = \(run) AND task_id = \(task) AND revision = 'pending' RETURNING 1)
        SELECT require(EXISTS (SELECT 1 FROM ended), 'the revision is not awaited any more')
        """
    }

    /// The document stays as it is.
    package static func giveUpRevision(of task: String, _ run: Run.ID) -> SQL {
        """
        WITH ended AS (
          UPDATE run_tasks SET revision = 'done' WHERE run_id = \(run) AND task_id = \(task) AND revision = 'pending'
          RETURNING 1)
        SELECT require(EXISTS (SELECT 1 FROM ended), 'the revision is not awaited any more')
        """
    }

    /// Revisions whose job is dead are given up: they must never keep a run from its end.
    package static func giveUpDeadRevisions(of run: Run.ID) -> SQL {
        """
        UPDATE run_tasks t SET revision = 'done'
        WHERE run_id = \(run) AND revision = 'pending' AND EXISTS (
          SELECT 1 FROM jobs WHERE state = 'dead' AND unique_key = 'revise:' || t.run_id || ':' || t.task_id)
        """
    }
}
