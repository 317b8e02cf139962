package import Domain
package import PostgresClient

/// What a tenant pays for, may use, and has used (contract S-9).
package struct Billing: Sendable {
    /// Nil without a subscription.
    package let plan: Plan?
    /// Stripe's word, or `none`.
    package let status: String
    package let currentPeriodEnd: Timestamp?
    package let cancelAtPeriodEnd: Bool
    /// Engagements created in this calendar month (UTC).
    package let engagements: Int
    package let storageBytes: Int
}

package struct BillingStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// The subscription in force, or else the newest one, and what was used of it.
    package func billing(_ tenant: Tenant.ID) async throws(PostgresError) -> Billing {
        let results = try await postgres.pipeline([
            """
            SELECT coalesce(e.plan, s.plan), s.status, (extract(epoch FROM s.current_period_end) * 1000000)::bigint,
                   s.cancel_at_period_end
            FROM subscriptions s LEFT JOIN entitlements e ON e.tenant_id = s.tenant_id
            WHERE s.tenant_id = \(tenant) ORDER BY s.plan = e.plan DESC NULLS LAST, s.updated_at DESC, s.id LIMIT 1
            """,
            """
            SELECT coalesce(sum(value) FILTER (
                     WHERE metric = 'engagements' AND period = to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')), 0)::bigint,
                   coalesce(sum(value) FILTER (WHERE metric = 'storage_bytes' AND period = 'all'), 0)::bigint
            FROM usage_counters WHERE tenant_id = \(tenant)
            """,
        ])
        let subscription = try results[0].first?.decode(Plan.self, String.self, Timestamp?.self, Bool.self)
        let (engagements, storage) = try results[1].first?.decode(Int.self, Int.self) ?? (0, 0)
        return Billing(
            plan: subscription?.0,
            status: subscription?.1 ?? "none",
            currentPeriodEnd: subscription?.2,
            cancelAtPeriodEnd: subscription?.3 ?? false,
            engagements: engagements,
            storageBytes: storage
        )
    }
}
