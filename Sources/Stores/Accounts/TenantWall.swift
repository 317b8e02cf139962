package import Domain
package import PostgresClient
private import Synchronization

extension Stores {
    /// The role that policies hold to one tenant; see migration 0025.
    static let role = "groundcrew_app"
    /// Where the policies look for the tenant.
    static let setting = "groundcrew.tenant"

    /// Runs `body` behind the wall of one tenant: Postgres shows it no row of another, and takes none for another, in any
    /// table that has a `tenant_id`. Costs no round trip. Where the database has no wall, `body` is run without one.
    ///
    /// - Throws: what `body` throws; ``PostgresError`` where it is not known whether there is a wall.
    package func asTenant<Value: Sendable>(
        _ tenant: Tenant.ID,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        guard try await walls.stand(look: wallsStand) else { return try await body() }
        return try await postgres.behindWall(role: Self.role, setting: Self.setting, value: tenant.rawValue, body)
    }

    /// Gives a wall to every table that should have one; done after each migration.
    ///
    /// - Returns: false where the account of the database may not make the role for it.
    package func raiseWalls() async throws(PostgresError) -> Bool {
        try await postgres.query("SELECT raise_tenant_walls()").first?.decode(Bool.self) ?? false
    }

    /// Whether the wall stands for the account of this pool.
    package func wallsStand() async throws(PostgresError) -> Bool {
        try await postgres.query("SELECT tenant_walls_stand()").first?.decode(Bool.self) ?? false
    }

    /// What an operator can do where it does not.
    package static let wallRemedy = """
        Let a superuser run "CREATE ROLE \(role) NOLOGIN; GRANT \(role) TO" and the account of DATABASE_URL, then run \
        `groundcrew migrate` again.
        """
}

/// What one process knows of the wall. That it stands is believed for good, that it does not for a minute.
final class KnownWalls: Sendable {
    private let known = Mutex<(stand: Bool, until: ContinuousClock.Instant?)?>(nil)

    func stand(look: () async throws(PostgresError) -> Bool) async throws(PostgresError) -> Bool {
        if let known = known.withLock({ $0 }), known.until.map({ $0 > .now }) ?? true { return known.stand }
        let stand = try await look()
        known.withLock { $0 = (stand, stand ? nil : .now + .seconds(60)) }
        return stand
    }
}
