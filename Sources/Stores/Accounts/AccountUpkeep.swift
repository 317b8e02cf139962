package import PostgresClient

/// Forgets what has run out: sessions, and answers to POSTs, and what came of them, that are older than a day.
package struct AccountUpkeep: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Removes at most 10,000 rows of each kind. Safe at any time and twice at once.
    package func run() async throws(PostgresError) {
        _ = try await postgres.query(
            """
            DELETE FROM sessions WHERE ctid IN (
              SELECT ctid FROM sessions WHERE expires_at < now()
                OR seen_at < now() - make_interval(secs => \(SessionStore.idleSeconds)) LIMIT 10000)
            """
        )
        _ = try await postgres.query(
            """
            DELETE FROM idempotency_keys WHERE ctid IN (
              SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT 10000)
            """
        )
        _ = try await postgres.query(
            """
            DELETE FROM fetched_pages WHERE ctid IN (
              SELECT ctid FROM fetched_pages WHERE created_at < now() - interval '24 hours' LIMIT 10000)
            """
        )
    }
}
