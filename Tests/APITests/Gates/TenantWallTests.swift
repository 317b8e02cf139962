import Domain
import Foundation
import PostgresClient
import Stores
import Synchronization
import TestSupport
import Testing

@testable import API

/// Row-level security as the second wall between tenants, behind the `tenant_id =` of every query.
@Suite("The wall between tenants")
struct TenantWallTests {
    /// Answers with what a query sees that forgot to name the tenant.
    private static func careless(_ world: LaterWorld) -> Route {
        .get("/api/test/careless") { _ in
            let found = try await world.get().postgres.query("SELECT tenant_id FROM engagements")
            return .ok(.array(try found.map { .string(try $0.decode(String.self)) }))
        }
    }

    private func other(_ world: World) async throws -> (tenant: Tenant.ID, key: String) {
        let tenant = try await world.stores.accounts.createTenant(name: "Other", plan: .enterprise)
        let key = try await world.stores.accounts.createKey(
            tenant: tenant.id,
            name: "k",
            scopes: [.readWrite],
            mode: .live
        )
        return (tenant.id, try #require(key).plaintext)
    }

    @Test("X-6: a route whose query forgot the tenant sees its caller's rows alone, whoever used the connection before")
    func careless() async throws {
        let world = LaterWorld()
        try await APIUnderTest.run(extra: [Self.careless(world)]) { api in
            world.set(api.world)
            let other = try await other(api.world)
            for key in [api.key, other.key, other.key] {
                #expect(try await api.post("/api/engagements", APIUnderTest.draft, api.bearer(key)).status == 201)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let mine = number.isMultiple(of: 2)
                        let reply = try await api.get("/api/test/careless", api.bearer(mine ? api.key : other.key))
                        let seen = reply.body.arrayValue?.compactMap(\.stringValue) ?? []
                        #expect(
                            seen == (mine ? [api.tenant.rawValue] : [other.tenant.rawValue, other.tenant.rawValue])
                        )
                    }
                }
                try await group.waitForAll()
            }
            // Nothing of a wall stays on any connection of the pool.
            for _ in 0..<16 {
                let left = try await api.world.postgres.query(
                    "SELECT current_user = session_user, coalesce(current_setting('groundcrew.tenant', true), ''), count(*) FROM engagements"
                )
                let (isHouse, tenant, count) = try #require(left.first).decode(Bool.self, String.self, Int.self)
                #expect(isHouse && tenant.isEmpty && count == 3)
            }
        }
    }

    @Test("Behind the wall no row of another tenant can be read, changed, deleted, or written for it")
    func writes() async throws {
        let world = try await World.fresh()
        let mine = try await world.stores.accounts.createTenant(name: "Mine", plan: .enterprise).id
        let other = try await other(world).tenant
        let insert: @Sendable (Tenant.ID) -> SQL = { tenant in
            """
            INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos)
            VALUES (\(Engagement.ID.make()), \(tenant), 'N', 'C', 's', 'B', 1)
            """
        }
        _ = try await world.postgres.query(insert(other))
        try await world.stores.asTenant(mine) {
            _ = try await world.postgres.query(insert(mine))
            let seen = try await world.postgres.query("SELECT tenant_id FROM engagements").map {
                try $0.decode(String.self)
            }
            #expect(seen == [mine.rawValue])
            #expect(try await world.postgres.query("UPDATE engagements SET name = 'X' RETURNING id").count == 1)
            #expect(try await world.postgres.query("SELECT 1 FROM tenants").count == 1)
            await #expect(throws: PostgresError.self) { try await world.postgres.query(insert(other)) }
            await #expect(throws: PostgresError.self) {
                try await world.postgres.query("UPDATE engagements SET tenant_id = \(other)")
            }
            let counts = try await world.postgres.transaction { transaction in
                let seen = try await transaction.query("SELECT 1 FROM engagements").count
                return [seen, try await transaction.query("DELETE FROM engagements RETURNING id").count]
            }
            #expect(counts == [1, 1])
        }
        let left = try await world.postgres.query("SELECT tenant_id || ' ' || name FROM engagements").map {
            try $0.decode(String.self)
        }
        #expect(left == ["\(other) N"])
        await world.close()
    }

    @Test("Without a tenant the role of the API sees nothing at all")
    func nobody() async throws {
        let world = try await World.fresh()
        _ = try await world.stores.accounts.createTenant(name: "T", plan: .starter)
        try await world.postgres.transaction { transaction in
            _ = try await transaction.query("SET LOCAL ROLE groundcrew_app")
            for table in ["tenants", "memberships", "subscriptions"] {
                #expect(try await transaction.query(SQL(trusted: "SELECT 1 FROM \(table)")).count == 0, "\(table)")
            }
        }
        await world.close()
    }

    @Test(
        "An account that may not make the role works without the wall; once it has the role, the next migration raises it"
    )
    func plainAccount() async throws {
        let world = try await World.fresh()
        let name = "plain_" + CUID.make()
        for statement in ["CREATE ROLE \(name) LOGIN", "CREATE DATABASE \(name) OWNER \(name)"] {
            _ = try await world.postgres.query(SQL(trusted: statement))
        }
        var address = try #require(URLComponents(string: world.databaseURL))
        (address.user, address.path) = (name, "/" + name)
        let plain = try await World.on(try #require(address.string), like: world)
        let mine = try await plain.stores.accounts.createTenant(name: "Mine", plan: .starter).id
        _ = try await plain.stores.accounts.createTenant(name: "Other", plan: .starter)
        let tenants: @Sendable () async throws -> Int = {
            try await plain.postgres.query("SELECT 1 FROM tenants").count
        }
        #expect(try await !plain.stores.raiseWalls())
        #expect(try await !plain.stores.wallsStand())
        #expect(try await plain.stores.asTenant(mine, tenants) == 2)
        _ = try await world.postgres.query(SQL(trusted: "GRANT groundcrew_app TO \(name)"))
        #expect(try await plain.stores.raiseWalls())
        #expect(try await plain.stores.wallsStand())
        // Another process, which has not looked yet.
        let later = Stores(plain.postgres)
        #expect(try await later.asTenant(mine, tenants) == 1)
        await plain.close()
        await world.close()
    }

    @Test(
        "Every table with a tenant_id has the wall; a new one needs SELECT raise_tenant_walls() at the end of its migration"
    )
    func complete() async throws {
        let world = try await World.fresh()
        let bare = try await world.postgres.query(
            """
            SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
            WHERE c.relkind IN ('r','p') AND c.relnamespace = 'public'::regnamespace
              AND (NOT c.relrowsecurity OR NOT EXISTS (
                SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_wall'))
            """
        ).map { try $0.decode(String.self) }
        #expect(bare.isEmpty, "without a wall: \(bare)")
        await world.close()
    }
}

/// A world that is there once the test has begun.
private final class LaterWorld: Sendable {
    private let world = Mutex<World?>(nil)

    func set(_ world: World) { self.world.withLock { $0 = world } }
    func get() throws -> World { try #require(world.withLock { $0 }) }
}
