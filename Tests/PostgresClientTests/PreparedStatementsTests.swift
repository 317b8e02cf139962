import Logging
import TestSupport
import Testing

@testable import PostgresClient

@Suite("Prepared statements")
struct PreparedStatementsTests {
    @Test("A statement is named at its second use, up to the capacity, and never without parameters")
    func book() {
        var book = PreparedStatements()
        #expect(book.use(of: "SELECT 1") == .unnamed)
        #expect(book.use(of: "SELECT 1") == .unnamed)
        #expect(book.use(of: "SELECT \(1)::int") == .unnamed)
        #expect(book.use(of: "SELECT \(2)::int") == .prepare("s1"))
        #expect(book.use(of: "SELECT \(3)::int") == .execute("s1"))
        book.forget("SELECT $1::int")
        #expect(book.use(of: "SELECT \(3)::int") == .unnamed)
        #expect(book.use(of: "SELECT \(3)::int") == .prepare("s2"))
    }

    private func pool() async throws -> Postgres {
        let url = try await TestStack.shared().freshDatabase()
        return Postgres(try PostgresConfiguration(url: url, size: 1), logger: Logger(label: "test"))
    }

    @Test("Results stay in their places while statements are being prepared, also twice in one pipeline")
    func order() async throws {
        let postgres = try await pool()
        for round in 0..<4 {
            let results = try await postgres.pipeline([
                "SELECT \(round)::int", "SELECT \(round)::int", "SELECT 7", "SELECT \(round + 1)::int, \(true)::bool",
            ])
            #expect(try results.map { try $0.number() } == [round, round, 7, round + 1])
        }
        let names = try await postgres.query("SELECT count(*) FROM pg_prepared_statements")
        #expect(try names.number() == 2)
        postgres.close()
    }

    @Test("An error before, in or after a preparation leaves the connection usable and its names true")
    func errors() async throws {
        let postgres = try await pool()
        _ = try await postgres.query("CREATE TABLE t (id int PRIMARY KEY)")
        for round in 0..<4 {
            await #expect(throws: PostgresError.self) {
                try await postgres.pipeline(["SELECT 1 / \(0)::int", "INSERT INTO t VALUES (\(round))"])
            }
            await #expect(throws: PostgresError.self) {
                try await postgres.pipeline(["SELECT \(round)::int, nothing"])
            }
            await #expect(throws: PostgresError.self) {
                try await postgres.pipeline(["SELECT \(round)::int + 1", "SELECT 1 / \(0)::int"])
            }
        }
        #expect(try await postgres.query("SELECT count(*) FROM t").number() == 0)
        for round in 0..<3 { _ = try await postgres.query("INSERT INTO t VALUES (\(round))") }
        #expect(try await postgres.query("SELECT count(*) FROM t").number() == 3)
        postgres.close()
    }

    @Test("A column added under a prepared SELECT * costs one error, and the next try succeeds")
    func changedTable() async throws {
        let postgres = try await pool()
        _ = try await postgres.query("CREATE TABLE t (id int PRIMARY KEY)")
        for _ in 0..<3 { _ = try await postgres.query("SELECT * FROM t WHERE id = \(1)") }
        _ = try await postgres.query("ALTER TABLE t ADD COLUMN more int")
        await #expect(throws: PostgresError.self) { try await postgres.query("SELECT * FROM t WHERE id = \(1)") }
        _ = try await postgres.query("SELECT * FROM t WHERE id = \(1)")
        postgres.close()
    }
}
