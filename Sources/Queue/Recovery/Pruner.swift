private import PostgresClient

/// Deletes what is past its retention, in small bites: finished jobs, sessions after a day, dead jobs and finished batches
/// after 14, ticks of schedules after 30.
package struct Pruner: Sendable {
    private static let bite = 5000
    private let ledger: Ledger
    private let retention: Duration

    /// - Parameter retention: how long `done` and `cancelled` jobs are kept.
    package init(_ ledger: Ledger, retention: Duration = .seconds(86_400)) {
        self.ledger = ledger
        self.retention = retention
    }

    /// One pass: all that is past its retention, or as much as half a minute suffices for.
    package func run() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await bite() == Self.bite, ContinuousClock.now < deadline {}
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

    /// The oldest first, found by the index `jobs_finished`: a pass that finds nothing reads nothing.
    private func bite() async throws -> Int {
        try await ledger.postgres.query(
            """
            DELETE FROM jobs WHERE state IN ('done','cancelled') AND id IN (
              SELECT id FROM jobs WHERE state IN ('done','cancelled')
                AND finished_at < now() - \(retention.milliseconds)::bigint * interval '1 millisecond'
              ORDER BY finished_at LIMIT \(Self.bite) FOR UPDATE SKIP LOCKED)
            """,
            timeout: .seconds(60)
        ).affected
    }
}
