import Logging
import PostgresClient
import TestSupport
import Testing

@Suite("Statements behind a wall")
struct TenantWallTests {
    private static let who: SQL = "SELECT current_user::text, coalesce(current_setting('test.tenant', true), '')"

    /// A pool of one connection, so that everything uses the same.
    private func database(_ body: @escaping @Sendable (Postgres) async throws -> Void) async throws {
        let url = try await TestStack.shared().freshDatabase()
        let postgres = Postgres(try PostgresConfiguration(url: url, size: 1), logger: Logger(label: "test"))
        try await body(postgres)
        postgres.close()
    }

    private func who(_ result: PostgresResult) throws -> String {
        let (role, tenant) = try #require(result.first).decode(String.self, String.self)
        return role == "pg_monitor" ? "guest of \(tenant)" : "house\(tenant)"
    }

    private func behind(
        _ postgres: Postgres,
        _ tenant: String,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        // A role that every server has.
        try await postgres.behindWall(role: "pg_monitor", setting: "test.tenant", value: tenant, body)
    }

    @Test("A query, a pipeline and a transaction run as the role, and the connection is the house's again after each")
    func each() async throws {
        try await database { postgres in
            try await behind(postgres, "a") {
                #expect(try await who(postgres.query(Self.who)) == "guest of a")
                let results = try await postgres.pipeline(["SELECT 1", Self.who])
                #expect(try results.count == 2 && who(results[1]) == "guest of a")
                try await postgres.transaction { transaction in
                    #expect(try await who(transaction.query(Self.who)) == "guest of a")
                    let last = try await transaction.finish(["SELECT 1", Self.who])
                    #expect(try last.count == 2 && who(last[1]) == "guest of a")
                }
                // Another task of the house, at the same time on the same connection.
                #expect(try await Task.detached { try await who(postgres.query(Self.who)) }.value == "house")
            }
            #expect(try await who(postgres.query(Self.who)) == "house")
        }
    }

    @Test("Errors and cancelled transactions leave nothing behind")
    func errors() async throws {
        try await database { postgres in
            try await behind(postgres, "a") {
                await #expect(throws: PostgresError.self) { try await postgres.query("SELECT 1/0") }
                await #expect(throws: PostgresError.self) {
                    try await postgres.transaction { transaction in
                        _ = try await transaction.query(Self.who)
                        _ = try await transaction.query("SELECT 1/0")
                    }
                }
            }
            #expect(try await who(postgres.query(Self.who)) == "house")
        }
    }

    @Test("Within a transaction that encloses it, the wall is around its own statements alone")
    func enclosed() async throws {
        try await database { postgres in
            try await postgres.enclosing(opening: "SELECT 1") { _ in
                #expect(try await who(postgres.query(Self.who)) == "house")
                try await behind(postgres, "a") {
                    #expect(try await who(postgres.query(Self.who)) == "guest of a")
                    try await postgres.transaction { transaction in
                        _ = try await transaction.query("SELECT 1")
                        _ = try await postgres.query("SELECT 2")
                        #expect(try await who(transaction.query(Self.who)) == "guest of a")
                    }
                    try await postgres.transaction { transaction in
                        let last = try await transaction.finish([Self.who])
                        #expect(try last.count == 1 && who(last[0]) == "guest of a")
                    }
                    await #expect(throws: PostgresError.self) {
                        try await postgres.transaction { transaction in
                            _ = try await transaction.query("SELECT 1/0")
                        }
                    }
                }
                #expect(try await who(postgres.query(Self.who)) == "house")
            }
        }
    }

    @Test("A task that outlives the call is not behind its wall any more")
    func outlived() async throws {
        try await database { postgres in
            let (gate, open) = AsyncStream.makeStream(of: Void.self)
            let late = try await postgres.behindWall(role: "pg_monitor", setting: "test.tenant", value: "a") {
                // Waited for below, when the wall is gone.
                Task {
                    for await _ in gate { break }
                    return try await who(postgres.query(Self.who))
                }
            }
            open.yield()
            #expect(try await late.value == "house")
        }
    }
}
