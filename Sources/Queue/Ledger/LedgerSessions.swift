package import PostgresClient

/// What a worker says of itself when it opens a session.
package struct WorkerCard: Sendable {
    package let host: String
    package let processID: Int
    package let version: String
    package let queues: [String]
    package let kinds: [String]
    package let slots: Int

    package init(host: String, processID: Int, version: String, queues: [String], kinds: [String], slots: Int) {
        self.host = host
        self.processID = processID
        self.version = version
        self.queues = queues
        self.kinds = kinds
        self.slots = slots
    }
}

/// Sessions: one lease per worker process, judged by Postgres' clock alone.
extension Ledger {
    /// Opens a session and returns its id.
    package func openSession(_ card: WorkerCard, lease: Duration) async throws(PostgresError) -> Int {
        let result = try await postgres.query(
            """
            INSERT INTO worker_sessions (lease_until, host, pid, version, queues, kinds, slots)
            VALUES (clock_timestamp() + \(lease.milliseconds)::bigint * interval '1 millisecond', \(card.host),
                    \(card.processID), \(card.version), \(card.queues)::text[], \(card.kinds)::text[], \(card.slots))
            RETURNING id
            """
        )
        guard let row = result.first else { throw PostgresError(.unexpectedResult, "no session id") }
        return try row.decode(Int.self)
    }

    /// Renews the lease. No row: the session is over. The arrays hold what the ledger books as running under it, and of
    /// those the jobs whose cancellation was asked for.
    package static func renewSession(_ session: Int, lease: Duration, running: Int) -> SQL {
        """
        UPDATE worker_sessions SET renewed_at = clock_timestamp(), running = \(running),
          lease_until = clock_timestamp() + \(lease.milliseconds)::bigint * interval '1 millisecond'
        WHERE id = \(session) AND state IN ('live','draining')
        RETURNING array(SELECT id FROM jobs WHERE session = \(session) AND state = 'running'),
                  array(SELECT id FROM jobs WHERE session = \(session) AND state = 'running' AND cancel_requested)
        """
    }

    /// The worker claims nothing more.
    package func drainSession(_ session: Int) async throws(PostgresError) {
        _ = try await postgres.query(
            "UPDATE worker_sessions SET state = 'draining' WHERE id = \(session) AND state = 'live'"
        )
    }

    /// Ends a session in good order: what it still runs goes back to the front, and no attempt is spent.
    ///
    /// - Returns: how many jobs went back.
    package func closeSession(_ session: Int) async throws(PostgresError) -> Int {
        let results = try await postgres.pipeline([
            """
            UPDATE jobs SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END, session = NULL,
              run_at = clock_timestamp(), finished_at = CASE WHEN cancel_requested THEN clock_timestamp() END
            WHERE session = \(session) AND state = 'running'
            """,
            """
            UPDATE worker_sessions SET state = 'closed', ended_at = clock_timestamp(), running = 0
            WHERE id = \(session) AND state IN ('live','draining')
            """,
        ])
        return results[0].affected
    }

    /// Jobs booked under a session that its process knows nothing of: the reply to their claim was lost.
    package func handBack(_ ids: [Int], session: Int) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            UPDATE jobs SET state = 'queued', session = NULL, run_at = clock_timestamp()
            WHERE id = ANY(\(ids)::bigint[]) AND session = \(session) AND state = 'running'
            """
        )
    }

    package func isLive(_ session: Int) async throws(PostgresError) -> Bool {
        try await postgres.query(
            "SELECT 1 FROM worker_sessions WHERE id = \(session) AND state IN ('live','draining')"
        ).first != nil
    }
}
