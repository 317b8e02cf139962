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
}
