package import Domain
package import PostgresClient

/// Which attachment a page became, for a request with an `Idempotency-Key` that is sent again: for 24 hours, like its answer.
package struct FetchedPages: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// The storage key of the attachment; nil where the request has made none.
    ///
    /// - Parameter name: the request's own, ``IdempotencyStore/Request/name``.
    package func storageKey(of name: String, _ tenant: Tenant.ID) async throws(PostgresError) -> String? {
        try await postgres.query(Self.find(name, tenant)).first?.decode(String.self)
    }

    /// Its one row is the storage key.
    package static func find(_ name: String, _ tenant: Tenant.ID) -> SQL {
        """
        SELECT storage_key FROM fetched_pages
        WHERE name = \(name) AND tenant_id = \(tenant) AND created_at > now() - interval '24 hours'
        """
    }

    /// Says that the attachment under this key is the request's: for the transaction that inserts it. No row comes back where
    /// another one is already.
    package static func claim(_ name: String, _ tenant: Tenant.ID, storageKey: String) -> SQL {
        """
        INSERT INTO fetched_pages AS f (name, tenant_id, storage_key) VALUES (\(name), \(tenant), \(storageKey))
        ON CONFLICT (name) DO UPDATE SET storage_key = excluded.storage_key, created_at = now()
        WHERE f.created_at <= now() - interval '24 hours' RETURNING 1
        """
    }

    /// Takes ``claim(_:_:storageKey:)`` back, in the same transaction.
    package static func disclaim(_ name: String, _ tenant: Tenant.ID) -> SQL {
        "DELETE FROM fetched_pages WHERE name = \(name) AND tenant_id = \(tenant)"
    }
}
