package import Domain
package import PostgresClient

/// The engine's guarded statements. Each is meant for a pipelined transaction: a condition that does not hold raises
/// `require()`'s error and nothing of the transaction remains.
package enum RunLedger {
    /// Appends events under the lock of the run's row: their order is commit order, their numbers have no gap.
    package static func append(_ events: [RunEvent], to run: Run.ID) -> SQL {
        """
        WITH numbered AS (
          UPDATE runs SET last_seq = last_seq + \(events.count),
                          log_count = log_count + \(events.count { $0.type == "log" })
          WHERE id = \(run) RETURNING tenant_id, last_seq, log_count)
        \(clause: insertEvents(events, run))
        """
    }

    /// - Precondition: a CTE `numbered` (tenant_id, last_seq, log_count) in front, after the run's counters were raised.
    private static func insertEvents(_ events: [RunEvent], _ run: Run.ID) -> SQL {
        let logs = events.count { $0.type == "log" }
        return """
            INSERT INTO run_events (run_id, seq, tenant_id, type, data, log_no, created_at)
            SELECT \(run), n.last_seq - \(events.count) + e.no, n.tenant_id, e.type, e.data::jsonb,
                   CASE WHEN e.type = 'log'
                        THEN n.log_count - \(logs) + count(*) FILTER (WHERE e.type = 'log') OVER (ORDER BY e.no) END,
                   clock_timestamp()
            FROM numbered n,
                 unnest(\(events.map(\.type))::text[], \(events.map(\.data.text))::text[])
                   WITH ORDINALITY AS e(type, data, no)
            """
    }

    /// The engagement stays while its children are written.
    package static func keepEngagement(of run: Run.ID) -> SQL {
        """
        WITH kept AS (SELECT 1 FROM engagements WHERE id = (SELECT engagement_id FROM runs WHERE id = \(run)) FOR KEY SHARE)
        SELECT require(EXISTS (SELECT 1 FROM kept), 'the engagement was deleted')
        """
    }

    /// Locks the run for a result: it is at work, or paused with this step still in flight.
    package static func lockRun(_ run: Run.ID) -> SQL {
        """
        WITH locked AS (SELECT 1 FROM runs WHERE id = \(run) AND status IN ('running','paused') FOR NO KEY UPDATE)
        SELECT require(EXISTS (SELECT 1 FROM locked), 'the run has ended')
        """
    }
}
