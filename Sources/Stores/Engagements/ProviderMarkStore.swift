package import Domain
package import PostgresClient

/// A mark as an operator sees it.
package struct ProviderMarkRow: Sendable {
    package let provider: String
    package let account: String
    /// `counting`, `paused`, `broken` or `down`.
    package let state: String
    /// Seconds until calls may go out again; nil where no time is set, 0 where it is over.
    package let left: Double?
    package let until: Timestamp?
    package let faults: Int
    package let model: String
    package let reason: String
    package let notedAt: Timestamp
}

/// What the fleet knows about model providers, for people.
package struct ProviderMarkStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// By provider and account; empty where all is well.
    package func list() async throws(PostgresError) -> [ProviderMarkRow] {
        try await postgres.query(
            """
            SELECT provider, account, state, greatest(extract(epoch FROM until - clock_timestamp()), 0)::float8,
                   (extract(epoch FROM until) * 1000000)::bigint, faults, model, reason,
                   (extract(epoch FROM noted_at) * 1000000)::bigint
            FROM provider_marks ORDER BY provider, account
            """
        ).map { row throws(PostgresError) in
            let (provider, account, state, left, until, faults, model, reason, notedAt) = try row.decode(
                String.self,
                String.self,
                String.self,
                Double?.self,
                Timestamp?.self,
                Int.self,
                String.self,
                String.self,
                Timestamp.self
            )
            return ProviderMarkRow(
                provider: provider,
                account: account,
                state: state,
                left: until == nil ? nil : left,
                until: until,
                faults: faults,
                model: model,
                reason: reason,
                notedAt: notedAt
            )
        }
    }

    /// Forgets what is known about a provider's accounts: calls go out again at once.
    ///
    /// - Returns: how many marks there were.
    package func clear(_ provider: String) async throws(PostgresError) -> Int {
        try await postgres.query("DELETE FROM provider_marks WHERE provider = \(provider) RETURNING 1").count
    }
}
