package import Domain
package import PostgresClient

/// Who a session is: what `login` and `me` answer.
package struct SessionPerson: Sendable {
    package let user: User.ID
    package let email: String
    package let name: String
    /// Nil for a contributor, who belongs to none.
    package let tenant: Tenant.ID?
    package let tenantName: String?
    package let role: Role?
}

/// People's logins. Only the SHA-256 of a session's token is kept.
package struct SessionStore: Sendable {
    private let postgres: Postgres
    private let hasher: PasswordHasher

    package init(_ postgres: Postgres, hasher: PasswordHasher) {
        self.postgres = postgres
        self.hasher = hasher
    }

    /// Seconds after which a session that nobody uses ends (decision D-2: seven days, sliding).
    package static let idleSeconds = 7 * 86_400
    /// Seconds after which a session ends in any case.
    package static let longestSeconds = 30 * 86_400

    /// Checks a password and opens a session in the tenant that the person joined first; in none for a contributor who
    /// joined none.
    ///
    /// An unknown e-mail takes as long as a wrong password.
    ///
    /// - Returns: the token, whose plaintext exists here and nowhere else afterwards; nil where e-mail or password is wrong.
    package func logIn(email: String, password: String) async throws -> (token: String, person: SessionPerson)? {
        let found = try await postgres.query(
            """
            SELECT u.password_hash, u.id, u.email, u.name, t.id, t.name, m.role FROM users u
            LEFT JOIN memberships m ON m.user_id = u.id AND m.status = 'active' LEFT JOIN tenants t ON t.id = m.tenant_id
            WHERE lower(u.email) = lower(\(email)) AND (t.id IS NOT NULL OR u.kind = 'contributor')
            ORDER BY m.created_at, t.id LIMIT 1
            """
        )
        let stored: String? = try found.first.flatMap { try $0.decode(String?.self) }
        guard try await hasher.verify(password, against: stored), let row = found.first else { return nil }
        let (_, user, email, name, tenant, tenantName, role) = try row.decode(
            String?.self,
            User.ID.self,
            String.self,
            String.self,
            Tenant.ID?.self,
            String?.self,
            Role?.self
        )
        let person = SessionPerson(
            user: user,
            email: email,
            name: name,
            tenant: tenant,
            tenantName: tenantName,
            role: role
        )
        return (try await open(user, tenant), person)
    }

    /// Opens a session for somebody who has proved who they are.
    ///
    /// - Parameter tenant: nil for a contributor, who belongs to none.
    package func open(_ user: User.ID, _ tenant: Tenant.ID?) async throws(PostgresError) -> String {
        let token = Secret.make()
        _ = try await postgres.pipeline([
            """
            INSERT INTO sessions (token_hash, tenant_id, user_id, expires_at)
            VALUES (\(Secret.hash(token)), \(tenant), \(user), now() + make_interval(secs => \(Self.longestSeconds)))
            """,
            "UPDATE users SET last_login_at = now() WHERE id = \(user)",
        ])
        return token
    }

    /// The caller behind a cookie's token; nil where it is unknown, idle for too long, too old, or its member was removed.
    ///
    /// A suspended member is known, and may do nothing: below viewer (decision D-9).
    package func caller(token: String) async throws(PostgresError) -> Caller? {
        let hash = Secret.hash(token)
        let found = try await postgres.query(
            """
            SELECT coalesce(s.tenant_id, ''), s.user_id, CASE WHEN m.status = 'active' THEN m.role END,
                   s.seen_at < now() - interval '1 minute',
                   u.kind = 'contributor' AND coalesce(m.status, 'active') = 'active'
            FROM sessions s JOIN users u ON u.id = s.user_id
            LEFT JOIN memberships m ON m.tenant_id = s.tenant_id AND m.user_id = s.user_id
            WHERE s.token_hash = \(hash) AND s.expires_at > now()
              AND s.seen_at > now() - make_interval(secs => \(Self.idleSeconds))
              AND (m.role IS NOT NULL OR (s.tenant_id IS NULL AND u.kind = 'contributor'))
            """
        )
        guard let row = found.first else { return nil }
        let (tenant, user, role, isStale, isContributor) = try row.decode(
            Tenant.ID.self,
            User.ID.self,
            Role?.self,
            Bool.self,
            Bool.self
        )
        if isStale { _ = try await postgres.query("UPDATE sessions SET seen_at = now() WHERE token_hash = \(hash)") }
        return Caller(
            tenant: tenant,
            user: user,
            key: nil,
            scopes: role?.scopes ?? [],
            mode: .live,
            role: role,
            isContributor: isContributor
        )
    }

    /// Ends a session. Ending one that is not there is no error.
    package func logOut(token: String) async throws(PostgresError) {
        _ = try await postgres.query("DELETE FROM sessions WHERE token_hash = \(Secret.hash(token))")
    }

    /// Sets a new password and ends all of the user's sessions.
    ///
    /// - Returns: false where `current` is not the present password.
    package func changePassword(_ user: User.ID, current: String, new: String) async throws -> Bool {
        let found = try await postgres.query("SELECT password_hash FROM users WHERE id = \(user)")
        let stored: String? = try found.first.flatMap { try $0.decode(String?.self) }
        guard try await hasher.verify(current, against: stored) else { return false }
        let hash = try await hasher.hash(new)
        _ = try await postgres.pipeline([
            "UPDATE users SET password_hash = \(hash) WHERE id = \(user)",
            "DELETE FROM sessions WHERE user_id = \(user)",
        ])
        return true
    }

    /// The person behind a caller, whatever the credential was.
    package func person(_ caller: Caller) async throws(PostgresError) -> SessionPerson? {
        let found = try await postgres.query(
            """
            SELECT coalesce(u.email, ''), u.name, t.id, t.name FROM users u LEFT JOIN tenants t ON t.id = \(caller.tenant)
            WHERE u.id = \(caller.user)
            """
        )
        guard let row = found.first else { return nil }
        let (email, name, tenant, tenantName) = try row.decode(
            String.self,
            String.self,
            Tenant.ID?.self,
            String?.self
        )
        return SessionPerson(
            user: caller.user,
            email: email,
            name: name,
            tenant: tenant,
            tenantName: tenantName,
            role: caller.role
        )
    }
}
