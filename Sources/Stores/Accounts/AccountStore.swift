package import Domain
package import PostgresClient

/// Tenants, their people and their keys.
package struct AccountStore: Sendable {
    private let postgres: Postgres
    private let callers: CallersByKey

    package init(_ postgres: Postgres) {
        self.postgres = postgres
        callers = CallersByKey(postgres)
    }

    /// A new key, whose plaintext exists here and nowhere else afterwards.
    package struct NewKey: Sendable {
        package let id: String
        package let plaintext: String
    }

    package struct NewTenant: Sendable {
        package let id: Tenant.ID
        package let owner: User.ID
        package let email: String
    }

    // MARK: Who is asking

    /// The caller behind an API key; nil where it is unknown, revoked or expired, or its tenant's member is not active.
    ///
    /// A key that was rotated is still good until its overlap ends. Writes down when it was used, once a minute at most.
    package func caller(key: String) async throws(PostgresError) -> Caller? { try await callers.caller(key: key) }

    // MARK: Making them

    /// Makes a tenant with an owner; a subscription too, where a plan is given.
    ///
    /// - Parameters:
    ///   - email: the owner's; nil makes one up, for owners who are programs.
    ///   - ownerName: nil makes one of the tenant's name.
    ///   - passwordHash: what ``PasswordHasher`` made; nil is an owner who cannot log in.
    /// - Throws: ``PostgresError`` with `isUniqueViolation` where the e-mail is taken.
    package func createTenant(
        name: String,
        plan: Plan?,
        email: String? = nil,
        ownerName: String? = nil,
        passwordHash: String? = nil
    ) async throws -> NewTenant {
        let tenant = Tenant.ID.make()
        let owner = User.ID.make()
        let email = email ?? "owner@\(tenant.rawValue).example"
        var statements: [SQL] = [
            "INSERT INTO tenants (id, name) VALUES (\(tenant), \(name))",
            """
            INSERT INTO users (id, email, name, password_hash)
            VALUES (\(owner), \(email), \(ownerName ?? "Owner of \(name)"), \(passwordHash))
            """,
            "INSERT INTO memberships (tenant_id, user_id, role) VALUES (\(tenant), \(owner), 'owner')",
        ]
        if let plan { statements += Self.setPlan(plan, tenant) }
        _ = try await postgres.pipeline(statements)
        return NewTenant(id: tenant, owner: owner, email: email)
    }

    /// The plan, as the operator says. Its caps come with it (`plan_limits`).
    private static func setPlan(_ plan: Plan, _ tenant: Tenant.ID) -> [SQL] {
        [
            """
            INSERT INTO subscriptions (id, tenant_id, plan, status)
            VALUES (\("operator:\(tenant)"), \(tenant), \(plan), 'active')
            ON CONFLICT (id) DO UPDATE SET plan = excluded.plan, status = 'active', updated_at = now()
            """
        ]
    }

    package func exists(_ tenant: Tenant.ID) async throws(PostgresError) -> Bool {
        try await postgres.query("SELECT 1 FROM tenants WHERE id = \(tenant)").first != nil
    }

    /// Sets a tenant's plan.
    ///
    /// - Returns: false where there is no such tenant.
    package func setPlan(_ plan: Plan, for tenant: Tenant.ID) async throws(PostgresError) -> Bool {
        guard try await exists(tenant) else { return false }
        _ = try await postgres.pipeline(Self.setPlan(plan, tenant))
        return true
    }

    /// Makes an API key in the name of the tenant's owner.
    ///
    /// - Returns: nil where there is no such tenant.
    package func createKey(
        tenant: Tenant.ID,
        name: String,
        scopes: [Scope],
        mode: KeyMode
    ) async throws(PostgresError) -> NewKey? {
        let id = CUID.make()
        let plaintext = KeyStore.newKey(mode)
        let result = try await postgres.query(
            """
            INSERT INTO api_keys (id, tenant_id, created_by, name, prefix, key_hash, mode, scopes)
            SELECT \(id), tenant_id, user_id, \(name), \(String(plaintext.prefix(12))), \(Secret.hash(plaintext)), \(mode),
                   \(scopes)::text[]
            FROM memberships WHERE tenant_id = \(tenant) AND role = 'owner' RETURNING id
            """
        )
        return result.first == nil ? nil : NewKey(id: id, plaintext: plaintext)
    }

    /// The plan in force; nil without an active subscription.
    package func plan(of tenant: Tenant.ID) async throws(PostgresError) -> Plan? {
        let result = try await postgres.query("SELECT plan FROM entitlements WHERE tenant_id = \(tenant)")
        return try result.first?.decode(Plan.self)
    }
}
