package import Domain
package import PostgresClient

/// A member of a tenant.
package struct Member: Sendable {
    package let id: User.ID
    package let email: String?
    package let name: String
    package let role: Role
    package let status: String
    package let lastLoginAt: Timestamp?
    package let invitedBy: User.ID?
    package let createdAt: Timestamp
}

/// Who belongs to a tenant. Every query names it.
package struct MemberStore: Sendable {
    private let postgres: Postgres
    private let hasher: PasswordHasher

    package init(_ postgres: Postgres, hasher: PasswordHasher) {
        self.postgres = postgres
        self.hasher = hasher
    }

    package enum Change: Sendable {
        case changed(Member)
        case notFound
        /// The owner keeps role and place (contract S-8).
        case isOwner
    }

    /// What an admin may change of a member; nil leaves it.
    package struct Edit: Sendable {
        package let role: Role?
        package let isSuspended: Bool?

        package init(role: Role?, isSuspended: Bool?) {
            self.role = role
            self.isSuspended = isSuspended
        }
    }

    /// All members, the oldest first.
    package func list(_ tenant: Tenant.ID) async throws(PostgresError) -> [Member] {
        try await postgres.query(
            """
            SELECT \(clause: Self.columns) FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.tenant_id = \(tenant) ORDER BY m.created_at, u.id
            """
        ).map { row throws(PostgresError) in try Self.member(row) }
    }

    /// Adds a member. Somebody without an account gets one, with a password that is shown once.
    ///
    /// - Parameter role: not owner: a tenant has one.
    /// - Returns: nil where the e-mail belongs to a member already. `password` is nil for a person who has an account.
    package func add(
        _ tenant: Tenant.ID,
        email: String,
        name: String? = nil,
        role: Role,
        by inviter: User.ID? = nil
    ) async throws -> (member: Member, password: String?)? {
        let password = Secret.password()
        let hash = try await hasher.hash(password)
        return try await postgres.retryingTransaction { transaction in
            let made = try await transaction.query(
                """
                INSERT INTO users (id, email, name, password_hash)
                VALUES (\(User.ID.make()), \(email), \(name ?? email), \(hash))
                ON CONFLICT (lower(email)) WHERE email IS NOT NULL DO NOTHING RETURNING id
                """
            )
            let joined = try await transaction.query(
                """
                INSERT INTO memberships (tenant_id, user_id, role, invited_by)
                SELECT \(tenant), id, \(role), \(inviter) FROM users WHERE lower(email) = lower(\(email))
                ON CONFLICT DO NOTHING RETURNING user_id
                """
            )
            guard let user = try joined.first?.decode(User.ID.self),
                let member = try await Self.find(user, tenant, transaction)
            else { return nil }
            return (member, made.first == nil ? nil : password)
        }
    }

    /// Changes a member's role or suspends it. A suspended member's sessions and keys stop at once.
    package func edit(_ user: User.ID, _ tenant: Tenant.ID, _ edit: Edit) async throws -> Change {
        let status = edit.isSuspended.map { $0 ? "suspended" : "active" }
        return try await postgres.retryingTransaction { transaction in
            guard let member = try await Self.find(user, tenant, transaction, lock: true) else { return .notFound }
            guard member.role != .owner else { return .isOwner }
            _ = try await transaction.query(
                """
                UPDATE memberships SET role = coalesce(\(edit.role), role), status = coalesce(\(status), status)
                WHERE tenant_id = \(tenant) AND user_id = \(user)
                """
            )
            return try await Self.find(user, tenant, transaction).map(Change.changed) ?? .notFound
        }
    }

    /// Removes a member. Its sessions end with it, and keys that it made are no longer good.
    package func remove(_ user: User.ID, _ tenant: Tenant.ID) async throws -> Change {
        try await postgres.retryingTransaction { transaction in
            guard let member = try await Self.find(user, tenant, transaction, lock: true) else { return .notFound }
            guard member.role != .owner else { return .isOwner }
            _ = try await transaction.query(
                "DELETE FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(user)"
            )
            return .changed(member)
        }
    }

    private static func find(
        _ user: User.ID,
        _ tenant: Tenant.ID,
        _ transaction: PostgresTransaction,
        lock: Bool = false
    ) async throws(PostgresError) -> Member? {
        let found = try await transaction.query(
            """
            SELECT \(clause: columns) FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.tenant_id = \(tenant) AND m.user_id = \(user)\(clause: lock ? " FOR UPDATE OF m" : "")
            """
        )
        return try found.first.map { row throws(PostgresError) in try member(row) }
    }

    private static let columns: SQL = """
        u.id, u.email, u.name, m.role, m.status, (extract(epoch FROM u.last_login_at) * 1000000)::bigint, m.invited_by,
        (extract(epoch FROM m.created_at) * 1000000)::bigint
        """

    private static func member(_ row: Row) throws(PostgresError) -> Member {
        let (id, email, name, role, status, lastLogin, invitedBy, createdAt) = try row.decode(
            User.ID.self,
            String?.self,
            String.self,
            Role.self,
            String.self,
            Timestamp?.self,
            User.ID?.self,
            Timestamp.self
        )
        return Member(
            id: id,
            email: email,
            name: name,
            role: role,
            status: status,
            lastLoginAt: lastLogin,
            invitedBy: invitedBy,
            createdAt: createdAt
        )
    }
}
