package import Domain
package import PostgresClient

/// Logos and colours of tenants.
package struct BrandStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// - Returns: ``Domain/Brand/none`` where nothing was set.
    package func brand(of tenant: Tenant.ID) async throws -> Brand {
        let found = try await postgres.query(
            "SELECT color, logo, logo_type FROM tenant_brands WHERE tenant_id = \(tenant)"
        )
        guard let row = found.first else { return .none }
        let (color, logo, kind) = try row.decode(String?.self, PostgresBytes?.self, String?.self)
        return try Self.brand(color: color, logo: logo, kind: kind)
    }

    static func brand(color: String?, logo: PostgresBytes?, kind: String?) throws -> Brand {
        let kind = kind.flatMap(BrandLogo.Kind.init(rawValue:))
        return Brand(
            color: try color.map { try BrandColor($0) },
            logo: logo.flatMap { bytes in kind.map { BrandLogo(stored: bytes.bytes, kind: $0) } }
        )
    }

    /// Replaces the whole brand.
    ///
    /// - Returns: false where there is no such tenant.
    package func set(_ brand: Brand, for tenant: Tenant.ID) async throws(PostgresError) -> Bool {
        let set = try await postgres.query(
            """
            INSERT INTO tenant_brands (tenant_id, color, logo, logo_type)
            SELECT id, \(brand.color?.hex)::text, \(brand.logo.map { PostgresBytes($0.bytes) })::bytea,
                   \(brand.logo?.kind.rawValue)::text
            FROM tenants WHERE id = \(tenant)
            ON CONFLICT (tenant_id) DO UPDATE SET color = excluded.color, logo = excluded.logo,
              logo_type = excluded.logo_type, updated_at = now()
            RETURNING 1
            """
        )
        return set.first != nil
    }

    /// Sets the colour alone; nil takes it back.
    package func set(_ color: BrandColor?, for tenant: Tenant.ID) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            INSERT INTO tenant_brands (tenant_id, color) VALUES (\(tenant), \(color?.hex)::text)
            ON CONFLICT (tenant_id) DO UPDATE SET color = excluded.color, updated_at = now()
            """
        )
    }

    /// Back to the house's own look.
    package func remove(of tenant: Tenant.ID) async throws(PostgresError) {
        _ = try await postgres.query("DELETE FROM tenant_brands WHERE tenant_id = \(tenant)")
    }

    /// Takes the logo back, and the one that waits to be drawn.
    package func removeLogo(of tenant: Tenant.ID) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            UPDATE tenant_brands SET logo = NULL, logo_type = NULL, updated_at = now(), \(clause: Self.noDraft)
            WHERE tenant_id = \(tenant)
            """
        )
    }

    // MARK: Logos that wait to be drawn

    /// Keeps a logo until a worker has drawn it once. Another one that waits gives way; the one that is set stays.
    ///
    /// - Returns: what the waiting logo is called.
    package func stage(_ logo: BrandLogo, for tenant: Tenant.ID) async throws(PostgresError) -> String {
        let draft = CUID.make()
        _ = try await postgres.query(
            """
            INSERT INTO tenant_brands (tenant_id, draft_id, draft, draft_type)
            VALUES (\(tenant), \(draft), \(PostgresBytes(logo.bytes))::bytea, \(logo.kind.rawValue))
            ON CONFLICT (tenant_id) DO UPDATE SET draft_id = excluded.draft_id, draft = excluded.draft,
              draft_type = excluded.draft_type
            """
        )
        return draft
    }

    /// - Returns: nil where it waits no more.
    package func draft(_ draft: String, of tenant: Tenant.ID) async throws(PostgresError) -> BrandLogo? {
        let found = try await postgres.query(
            "SELECT draft, draft_type FROM tenant_brands WHERE tenant_id = \(tenant) AND draft_id = \(draft)"
        )
        guard let row = found.first else { return nil }
        let (bytes, kind) = try row.decode(PostgresBytes.self, String.self)
        return BrandLogo.Kind(rawValue: kind).map { BrandLogo(stored: bytes.bytes, kind: $0) }
    }

    /// Makes the waiting logo the tenant's; refuses with `require()` where another one has come since.
    package static func adopt(_ draft: String, for tenant: Tenant.ID) -> SQL {
        """
        WITH adopted AS (
          UPDATE tenant_brands SET logo = draft, logo_type = draft_type, updated_at = now(), \(clause: noDraft)
          WHERE tenant_id = \(tenant) AND draft_id = \(draft) RETURNING 1)
        SELECT require(EXISTS (SELECT 1 FROM adopted), 'another logo has come since')
        """
    }

    /// Forgets the waiting logo, where it is still that one.
    package static func drop(_ draft: String, of tenant: Tenant.ID) -> SQL {
        """
        UPDATE tenant_brands SET \(clause: noDraft) WHERE tenant_id = \(tenant) AND draft_id = \(draft)
        """
    }

    private static let noDraft: SQL = "draft_id = NULL, draft = NULL, draft_type = NULL"
}
