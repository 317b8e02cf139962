package import Domain
package import PostgresClient

/// Stripe's events as an operator looks at them.
package struct StripeEventStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// One event, without its payload.
    package struct Entry: Sendable {
        package let id: String
        package let type: String
        package let object: String
        package let isLive: Bool
        package let status: StripeLedger.Status
        package let attempts: Int
        package let error: String?
        package let created: Timestamp
        package let receivedAt: Timestamp
    }

    /// Newest first.
    ///
    /// - Parameters:
    ///   - status: only these; nil is all.
    ///   - limit: at most so many.
    package func list(_ status: StripeLedger.Status?, limit: Int) async throws(PostgresError) -> [Entry] {
        let rows = try await postgres.query(
            """
            SELECT id, type, object_id, livemode, status, attempts, error,
                   (extract(epoch FROM created) * 1000000)::bigint, (extract(epoch FROM received_at) * 1000000)::bigint
            FROM stripe_events WHERE \(status)::text IS NULL OR status = \(status)
            ORDER BY received_at DESC, id DESC LIMIT \(limit)
            """
        )
        var entries: [Entry] = []
        for row in rows { entries.append(try Self.entry(row)) }
        return entries
    }

    private static func entry(_ row: Row) throws(PostgresError) -> Entry {
        let (id, type, object, isLive, status, attempts, error, created, received) = try row.decode(
            String.self,
            String.self,
            String.self,
            Bool.self,
            StripeLedger.Status.self,
            Int.self,
            String?.self,
            Timestamp.self,
            Timestamp.self
        )
        return Entry(
            id: id,
            type: type,
            object: object,
            isLive: isLive,
            status: status,
            attempts: attempts,
            error: error,
            created: created,
            receivedAt: received
        )
    }

    /// Gives an event that found no match another day, from the next attempt on.
    ///
    /// - Returns: a statement that gives its id; none where it has had its effect, was ignored, or is unknown.
    package static func reopen(_ id: String) -> SQL {
        """
        UPDATE stripe_events SET status = 'received', give_up_at = now() + interval '24 hours', error = NULL,
          processed_at = now()
        WHERE id = \(id) AND status IN ('received','unmatched','dead') RETURNING id
        """
    }

    /// Removes what had its effect, or was ignored, 90 days ago: Stripe sends nothing again after 30.
    package static let prune: SQL = """
        DELETE FROM stripe_events WHERE status IN ('done','ignored') AND received_at < now() - interval '90 days'
        """
}
