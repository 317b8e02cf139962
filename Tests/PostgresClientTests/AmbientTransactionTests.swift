import Logging
import PostgresClient
import Synchronization
import TestSupport
import Testing

@Suite("Enclosing transactions")
struct AmbientTransactionTests {
    private struct Refused: Error {}

    private final class Deeds: Sendable {
        private let seen = Mutex<[Int]>([])
        var list: [Int] { seen.withLock { $0 } }
        func add(_ number: Int) { seen.withLock { $0.append(number) } }
    }

    private func database(_ body: (Postgres) async throws -> Void) async throws {
        let url = try await TestStack.shared().freshDatabase()
        let postgres = Postgres(try PostgresConfiguration(url: url, size: 2), logger: Logger(label: "test"))
        _ = try await postgres.query("CREATE TABLE effects (n int)")
        try await body(postgres)
        postgres.close()
    }

    private func effects(_ postgres: Postgres) async throws -> [Int] {
        try await postgres.query("SELECT n FROM effects ORDER BY n").map { try $0.decode(Int.self) }
    }

    @Test("what is written within becomes seen at the end, in one go, and deeds are done after that")
    func commits() async throws {
        try await database { postgres in
            let deeds = Deeds()
            try await postgres.enclosing(opening: "SELECT 1") { _ in
                _ = try await postgres.query("INSERT INTO effects VALUES (1)")
                try await postgres.transaction { transaction in
                    _ = try await transaction.query("INSERT INTO effects VALUES (2)")
                }
                let outside = try await Task.detached { try await effects(postgres) }.value
                #expect(outside.isEmpty)
                await postgres.afterCommit {
                    let seen = try? await effects(postgres)
                    deeds.add(seen?.count ?? -1)
                }
                #expect(deeds.list.isEmpty)
            }
            #expect(try await effects(postgres) == [1, 2])
            #expect(deeds.list.first == 2)
            await postgres.afterCommit { deeds.add(3) }
            #expect(deeds.list.last == 3)
        }
    }

    @Test("an inner transaction that fails takes only its own writes back")
    func inner() async throws {
        try await database { postgres in
            try await postgres.enclosing(opening: "SELECT 1") { _ in
                _ = try await postgres.query("INSERT INTO effects VALUES (1)")
                await #expect(throws: Refused.self) {
                    try await postgres.transaction { transaction in
                        _ = try await transaction.query("INSERT INTO effects VALUES (2)")
                        throw Refused()
                    }
                }
                _ = try await postgres.transaction { transaction in
                    try await transaction.finish(["INSERT INTO effects VALUES (3)"])
                }
            }
            #expect(try await effects(postgres) == [1, 3])
        }
    }

    @Test("throwing takes everything back, inner transactions that had committed included")
    func rollsBack() async throws {
        try await database { postgres in
            let deeds = Deeds()
            await #expect(throws: Refused.self) {
                try await postgres.enclosing(opening: "INSERT INTO effects VALUES (1)") { _ in
                    try await postgres.transaction { transaction in
                        _ = try await transaction.query("INSERT INTO effects VALUES (2)")
                    }
                    await postgres.afterCommit { deeds.add(1) }
                    throw Refused()
                }
            }
            let left = try await effects(postgres)
            #expect(left.isEmpty && deeds.list.isEmpty)
        }
    }
}
