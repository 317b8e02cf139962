private import PostgresClient

/// Deletes what is past its retention, in small bites: finished jobs and sessions after a
/// day, dead jobs and finished batches after 14, ticks of schedules after 30.
package struct Pruner: Sendable {
    private let ledger: Ledger

    package init(_ ledger: Ledger) {
        self.ledger = ledger
    }

    /// One pass over at most 50,000 jobs.
    package func run() async throws {
        for _ in 0..<10 {
            let gone = try await ledger.postgres.query(
                """
                DELETE FROM jobs WHERE id IN (
                  SELECT id FROM jobs WHERE state IN ('done','cancelled') AND finished_at < now() - interval '1 day'
                  ORDER BY id LIMIT 5000)
                """,
                timeout: .seconds(60)
            )
            if gone.affected < 5000 { break }
        }
        _ = try await ledger.postgres.pipeline([
            "DELETE FROM jobs WHERE state = 'dead' AND finished_at < now() - interval '14 days'",
            """
            DELETE FROM worker_sessions s WHERE ended_at < now() - interval '1 day' AND state IN ('expired','closed')
              AND NOT EXISTS (SELECT 1 FROM jobs WHERE session = s.id AND state = 'running')
            """,
            "DELETE FROM schedule_ticks WHERE fired_at < now() - interval '30 days'",
            "DELETE FROM job_dependencies d WHERE ended AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = d.job)",
            "DELETE FROM unique_windows WHERE until < now()",
            "DELETE FROM batches WHERE state = 'done' AND finished_at < now() - interval '14 days'",
        ])
    }
}
