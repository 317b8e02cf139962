package import Domain
private import PostgresClient

extension Stores {
    /// The role that policies hold to one tenant; see migration 0025.
    static let role = "groundcrew_app"
    /// Where the policies look for the tenant.
    static let setting = "groundcrew.tenant"

    /// Runs `body` behind the wall of one tenant: Postgres shows it no row of another, and takes none for another, in any
    /// table that has a `tenant_id`. Costs no round trip.
    ///
    /// - Throws: what `body` throws.
    package func asTenant<Value: Sendable>(
        _ tenant: Tenant.ID,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await postgres.behindWall(role: Self.role, setting: Self.setting, value: tenant.rawValue, body)
    }
}
