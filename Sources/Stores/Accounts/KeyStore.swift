package import Domain
package import PostgresClient

/// An API key as lists show it: without the key.
package struct KeyRow: Sendable {
    package let id: String
    package let name: String
    /// Its first twelve characters, to know it by.
    package let prefix: String
    package let mode: KeyMode
    package let scopes: [String]
    package let engagement: Engagement.ID?
    package let lastUsedAt: Timestamp?
    package let expiresAt: Timestamp?
    package let createdAt: Timestamp
}

/// API keys as the people of a tenant manage them. Every query names the tenant.
package struct KeyStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// What somebody asks for.
    package struct Draft: Sendable {
        package let name: String
        package let mode: KeyMode
        package let scopes: [Scope]
        /// The one engagement that the key shall be for; nil is all of them.
        package let engagement: Engagement.ID?
        /// ISO 8601 with an offset; nil is never.
        package let expiresAt: String?

        package init(name: String, mode: KeyMode, scopes: [Scope], engagement: Engagement.ID?, expiresAt: String?) {
            self.name = name
            self.mode = mode
            self.scopes = scopes
            self.engagement = engagement
            self.expiresAt = expiresAt
        }
    }

    /// Seconds that a rotated key may go on beside its successor.
    package static let longestOverlap = 7 * 86_400

    /// Keys that are not revoked, the newest first.
    package func list(_ tenant: Tenant.ID) async throws(PostgresError) -> [KeyRow] {
        try await postgres.query(
            """
            SELECT \(clause: Self.columns) FROM api_keys WHERE tenant_id = \(tenant) AND revoked_at IS NULL
            ORDER BY created_at DESC, id DESC
            """
        ).map { row throws(PostgresError) in try Self.key(row) }
    }

    /// Makes a key in the name of `user`.
    ///
    /// - Returns: the row and the plaintext, which exists here and nowhere else afterwards.
    package func create(
        _ draft: Draft,
        tenant: Tenant.ID,
        user: User.ID
    ) async throws(PostgresError) -> (row: KeyRow, plaintext: String) {
        let plaintext = Self.newKey(draft.mode)
        let result = try await postgres.query(
            """
            INSERT INTO api_keys (id, tenant_id, created_by, name, prefix, key_hash, mode, scopes, engagement_id, expires_at)
            VALUES (\(CUID.make()), \(tenant), \(user), \(draft.name), \(String(plaintext.prefix(12))),
                    \(Secret.hash(plaintext)), \(draft.mode), \(draft.scopes)::text[], \(draft.engagement),
                    \(draft.expiresAt)::timestamptz)
            RETURNING \(clause: Self.columns)
            """
        )
        guard let row = result.first else { throw PostgresError(.unexpectedResult, "no key") }
        return (try Self.key(row), plaintext)
    }

    /// Gives a key a new secret. The old one stops at once, or after `overlap` seconds.
    ///
    /// - Returns: nil where the tenant has no such key, or it is revoked.
    package func rotate(
        _ id: String,
        tenant: Tenant.ID,
        overlap: Int
    ) async throws(PostgresError) -> (row: KeyRow, plaintext: String)? {
        let found = try await postgres.query(
            "SELECT mode FROM api_keys WHERE id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL"
        )
        guard let mode = try found.first?.decode(KeyMode.self) else { return nil }
        let plaintext = Self.newKey(mode)
        let result = try await postgres.query(
            """
            UPDATE api_keys SET key_hash = \(Secret.hash(plaintext)), prefix = \(String(plaintext.prefix(12))),
                   old_key_hash = CASE WHEN \(overlap)::int > 0 THEN key_hash END,
                   old_until = now() + make_interval(secs => \(overlap))
            WHERE id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL
            RETURNING \(clause: Self.columns)
            """
        )
        return try result.first.map { row throws(PostgresError) in (try Self.key(row), plaintext) }
    }

    /// - Returns: false where the tenant has no such key, or it was revoked before.
    package func revoke(_ id: String, tenant: Tenant.ID) async throws(PostgresError) -> Bool {
        try await postgres.query(
            """
            UPDATE api_keys SET revoked_at = now(), old_key_hash = NULL
            WHERE id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL RETURNING id
            """
        ).first != nil
    }

    /// `gt_live_` or `gt_test_` and 64 hex digits (decision D-4).
    static func newKey(_ mode: KeyMode) -> String { "gt_\(mode.rawValue)_\(Secret.make())" }

    private static let columns: SQL = """
        id, name, prefix, mode, scopes, engagement_id, (extract(epoch FROM last_used_at) * 1000000)::bigint,
        (extract(epoch FROM expires_at) * 1000000)::bigint, (extract(epoch FROM created_at) * 1000000)::bigint
        """

    private static func key(_ row: Row) throws(PostgresError) -> KeyRow {
        let (id, name, prefix, mode, scopes, engagement, lastUsedAt, expiresAt, createdAt) = try row.decode(
            String.self,
            String.self,
            String.self,
            KeyMode.self,
            [String].self,
            Engagement.ID?.self,
            Timestamp?.self,
            Timestamp?.self,
            Timestamp.self
        )
        return KeyRow(
            id: id,
            name: name,
            prefix: prefix,
            mode: mode,
            scopes: scopes,
            engagement: engagement,
            lastUsedAt: lastUsedAt,
            expiresAt: expiresAt,
            createdAt: createdAt
        )
    }
}
