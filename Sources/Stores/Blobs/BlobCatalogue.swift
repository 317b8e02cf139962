package import Domain
package import PostgresClient

/// One row per stored object, from before its first byte is written until after its last one is removed: bytes that nobody
/// knows of cannot exist for long.
package struct BlobCatalogue: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Says that an object is about to be written.
    ///
    /// - Returns: false where there is, or was a moment ago, one under this key.
    package func begin(_ key: String, for tenant: Tenant.ID) async throws(PostgresError) -> Bool {
        let bucket = String(key.prefix { $0 != "/" })
        let begun = try await postgres.query(
            """
            INSERT INTO blobs (storage_key, tenant_id, bucket) VALUES (\(key), \(tenant), \(bucket))
            ON CONFLICT DO NOTHING RETURNING storage_key
            """
        )
        return begun.first != nil
    }

    /// Makes an object one that is there. No row comes back where it was given up in the meantime.
    package static func publish(_ key: String, size: Int) -> SQL {
        """
        UPDATE blobs SET state = 'live', size_bytes = \(size)::bigint
        WHERE storage_key = \(key) AND state = 'uploading' RETURNING storage_key
        """
    }

    /// Sends ``publish(_:size:)`` by itself.
    ///
    /// - Returns: false where the object was given up in the meantime.
    package func publish(_ key: String, size: Int) async throws(PostgresError) -> Bool {
        try await postgres.query(Self.publish(key, size: size)).first != nil
    }

    /// Gives up an object that is being written.
    ///
    /// - Returns: false where it is live: then its bytes must stay.
    package func giveUp(_ key: String) async throws(PostgresError) -> Bool {
        let condemned = try await postgres.query(
            """
            UPDATE blobs SET state = 'deleting' WHERE storage_key = \(key) AND state = 'uploading' RETURNING storage_key
            """
        )
        return condemned.first != nil
    }

    /// The size of a live object in bytes; nil where there is none.
    package func size(of key: String) async throws(PostgresError) -> Int? {
        let found = try await postgres.query(
            "SELECT size_bytes FROM blobs WHERE storage_key = \(key) AND state = 'live'"
        )
        return try found.first?.decode(Int.self)
    }

    /// Whether an object's bytes are to go.
    package func isCondemned(_ key: String) async throws(PostgresError) -> Bool {
        try await postgres.query("SELECT 1 FROM blobs WHERE storage_key = \(key) AND state = 'deleting'").first != nil
    }

    /// Removes the row of an object whose bytes are gone.
    package func forget(_ key: String) async throws(PostgresError) {
        _ = try await postgres.query(Self.forget(key))
    }

    /// The same as a statement of somebody else's transaction.
    package static func forget(_ key: String) -> SQL {
        "DELETE FROM blobs WHERE storage_key = \(key) AND state = 'deleting'"
    }

    /// Marks what no crash may leave behind: uploads that began an hour ago and never ended, and objects a day old that no
    /// row speaks of (C-9).
    package static let sweep: SQL = """
        UPDATE blobs b SET state = 'deleting'
        WHERE (b.state = 'uploading' AND b.created_at < now() - interval '1 hour')
           OR (b.state = 'live' AND b.created_at < now() - interval '24 hours'
               AND NOT EXISTS (SELECT 1 FROM attachments a WHERE a.storage_key = b.storage_key)
               AND NOT EXISTS (SELECT 1 FROM submissions s WHERE s.media_object_key = b.storage_key))
        """
}
