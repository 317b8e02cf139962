package import Domain
package import PostgresClient

/// How many bytes of files a tenant has: one row that every upload raises and every removal lowers (U-02, U-03).
package enum StorageUsage {
    /// Takes room. No row comes back where `limit` would be exceeded: then nothing was taken, however many ask at once.
    ///
    /// - Parameter limit: bytes, of the plan.
    static func take(_ bytes: Int, of limit: Int, for tenant: Tenant.ID) -> SQL {
        """
        INSERT INTO usage_counters AS u (tenant_id, metric, period, value)
        SELECT \(tenant), 'storage_bytes', 'all', \(bytes)::bigint WHERE \(bytes)::bigint <= \(limit)::bigint
        ON CONFLICT (tenant_id, metric, period) DO UPDATE SET value = u.value + excluded.value
          WHERE u.value + excluded.value <= \(limit)::bigint
        RETURNING value
        """
    }

    static func free(_ bytes: Int, for tenant: Tenant.ID) -> SQL {
        """
        UPDATE usage_counters SET value = greatest(value - \(bytes)::bigint, 0)
        WHERE tenant_id = \(tenant) AND metric = 'storage_bytes' AND period = 'all'
        """
    }

    /// - Parameter condition: over `attachments`, those that go.
    static func free(of condition: SQL, for tenant: Tenant.ID) -> SQL {
        """
        UPDATE usage_counters SET value = greatest(
          value - (SELECT coalesce(sum(size_bytes), 0)::bigint FROM attachments WHERE \(clause: condition)), 0)
        WHERE tenant_id = \(tenant) AND metric = 'storage_bytes' AND period = 'all'
        """
    }

    /// A tenant whose counter was wrong, and has been put right.
    package struct Correction: Sendable, Equatable {
        package let tenant: Tenant.ID
        package let counted: Int
        package let actual: Int
    }

    /// Recounts the tenants whose counter differs from their files (C-11). It should find none.
    package static func recount(_ postgres: Postgres) async throws -> [Correction] {
        let suspects = try await postgres.query(
            """
            SELECT u.tenant_id FROM usage_counters u
            WHERE u.metric = 'storage_bytes' AND u.period = 'all' AND u.value <>
              (SELECT coalesce(sum(a.size_bytes), 0) FROM attachments a WHERE a.tenant_id = u.tenant_id)
            """
        ).map { row throws(PostgresError) in try row.decode(Tenant.ID.self) }
        var corrections: [Correction] = []
        for tenant in suspects {
            if let correction = try await recount(tenant, postgres) { corrections.append(correction) }
        }
        return corrections
    }

    /// The counter is locked first: whoever changes it has then committed its attachment too, or waits for us.
    private static func recount(_ tenant: Tenant.ID, _ postgres: Postgres) async throws -> Correction? {
        try await postgres.retryingTransaction { transaction in
            let locked = try await transaction.query(
                """
                SELECT value FROM usage_counters
                WHERE tenant_id = \(tenant) AND metric = 'storage_bytes' AND period = 'all' FOR UPDATE
                """
            )
            let summed = try await transaction.query(
                "SELECT coalesce(sum(size_bytes), 0)::bigint FROM attachments WHERE tenant_id = \(tenant)"
            )
            guard let counted = try locked.first?.decode(Int.self), let actual = try summed.first?.decode(Int.self),
                counted != actual
            else { return nil }
            _ = try await transaction.query(
                """
                UPDATE usage_counters SET value = \(actual)::bigint
                WHERE tenant_id = \(tenant) AND metric = 'storage_bytes' AND period = 'all'
                """
            )
            return Correction(tenant: tenant, counted: counted, actual: actual)
        }
    }
}
