import Embedded
import Foundation
import Logging
import PostgresClient
import TestSupport
import Testing

@Suite("Postgres client, on a real server")
struct PostgresTests {
    private func pool(size: Int = 4, wait: Duration = .seconds(5), url: String? = nil) async throws -> Postgres {
        let address: String
        if let url { address = url } else { address = try await TestStack.shared().freshDatabase() }
        return Postgres(try PostgresConfiguration(url: address, size: size, wait: wait), logger: Logger(label: "test"))
    }

    private func code(_ work: () async throws -> Void) async -> PostgresError.Code? {
        do {
            try await work()
            return nil
        } catch {
            return (error as? PostgresError)?.code
        }
    }

    @Test("Interpolated values are parameters: they come back as they were, whatever they look like")
    func parameters() async throws {
        let postgres = try await pool()
        let nasty = ["'; DROP TABLE x; --", "a\"b\\c,{}", "NULL", "", "ünï 😀", "line\nbreak"]
        let missing: String? = nil
        let row = try #require(
            try await postgres.query(
                "SELECT \(nasty)::text[], \(nasty[0])::text, \(missing)::text, \(Int.min)::bigint, \(true)::bool, \(PostgresBytes([0, 255, 92]))::bytea"
            ).first
        )
        let (array, text, nothing, integer, flag, bytes) = try row.decode(
            [String].self,
            String.self,
            String?.self,
            Int.self,
            Bool.self,
            PostgresBytes.self
        )
        #expect(array == nasty && text == nasty[0] && nothing == nil && integer == .min && flag)
        #expect(bytes.bytes == [0, 255, 92])
        #expect(throws: PostgresError.self) { try row.decode(Int.self) }
        let clause: SQL = "x > \(2) AND x < \(5)"
        let count = try await postgres.query(
            "SELECT count(*) FROM generate_series(1, \(9)) AS g(x) WHERE \(clause: clause)"
        )
        #expect(try count.number() == 2)
        postgres.close()
    }

    @Test("A pipeline is one transaction: an error in the last statement undoes the first")
    func pipeline() async throws {
        let postgres = try await pool()
        _ = try await postgres.query("CREATE TABLE t (id int PRIMARY KEY)")
        do {
            _ = try await postgres.pipeline([
                "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (1)",
            ])
            Issue.record("the duplicate was accepted")
        } catch {
            #expect(error.sqlState == "23505" && error.isUniqueViolation && error.constraint == "t_pkey")
        }
        #expect(try await postgres.query("SELECT count(*) FROM t").number() == 0)
        postgres.close()
    }

    @Test("A transaction commits at its end and rolls back when its body throws")
    func transactions() async throws {
        struct Stop: Error {}
        let postgres = try await pool()
        _ = try await postgres.query("CREATE TABLE t (id int)")
        try await postgres.transaction { _ = try await $0.query("INSERT INTO t VALUES (1)") }
        await #expect(throws: Stop.self) {
            try await postgres.transaction { transaction in
                _ = try await transaction.query("INSERT INTO t VALUES (2)")
                throw Stop()
            }
        }
        try await postgres.transaction { _ = try await $0.finish(["INSERT INTO t VALUES (3)"]) }
        let rows = try await postgres.query("SELECT id FROM t ORDER BY id").map { try $0.decode(Int.self) }
        #expect(rows == [1, 3])
        postgres.close()
    }

    @Test("Two transactions that deadlock both go through in the end")
    func deadlock() async throws {
        let postgres = try await pool()
        _ = try await postgres.pipeline([
            "CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 0), (2, 0)",
        ])
        func add(_ first: Int, _ second: Int) async throws {
            try await postgres.retryingTransaction { transaction in
                _ = try await transaction.query("UPDATE t SET n = n + 1 WHERE id = \(first)")
                _ = try await transaction.query("SELECT pg_sleep(0.2)")
                _ = try await transaction.query("UPDATE t SET n = n + 1 WHERE id = \(second)")
            }
        }
        async let one: Void = add(1, 2)
        async let other: Void = add(2, 1)
        _ = try await (one, other)
        #expect(try await postgres.query("SELECT sum(n) FROM t").number() == 4)
        postgres.close()
    }

    @Test("Two hundred callers on four connections each get their own answer")
    func sharing() async throws {
        let postgres = try await pool()
        let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask { try await postgres.query("SELECT \(number)::int").number() != number }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wrong == 0)
        postgres.close()
    }

    @Test("A full pool makes callers wait, but not for ever")
    func exhausted() async throws {
        let postgres = try await pool(size: 1, wait: .milliseconds(200))
        async let busy: Void = postgres.transaction { _ = try await $0.query("SELECT pg_sleep(1.5)") }
        try await eventually(within: .seconds(5), "the pool to refuse") {
            await code { _ = try await postgres.query("SELECT 1") } == .poolExhausted
        }
        try await busy
        #expect(try await postgres.query("SELECT 1").count == 1)
        postgres.close()
    }

    @Test("A statement past its deadline is cancelled on the server, and so is one whose task is cancelled")
    func cancellation() async throws {
        let postgres = try await pool(size: 1)
        let slow = await code { _ = try await postgres.query("SELECT pg_sleep(30)", timeout: .milliseconds(200)) }
        #expect(slow == .timeout)
        let task = Task { await code { _ = try await postgres.query("SELECT pg_sleep(30)") } }
        try await eventually(within: .seconds(5), "the sleep to begin") {
            let other = try await pool(size: 1, url: postgres.configuration.url)
            defer { other.close() }
            let found = try await other.query(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'"
            )
            return try found.number() == 1
        }
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(try await postgres.query("SELECT 1").count == 1)
        postgres.close()
    }

    @Test("A killed server fails what was under way, and the pool works again after its restart")
    func restart() async throws {
        let server = try await TestStack.shared().dedicatedPostgres(durability: .durable)
        let postgres = try await pool(size: 2, url: server.url)
        _ = try await postgres.query("SELECT 1")
        async let victim = code { _ = try await postgres.query("SELECT pg_sleep(30)") }
        try await eventually(within: .seconds(5), "the sleep to begin") {
            let found = try await postgres.query(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state = 'active' AND pid <> pg_backend_pid()"
            )
            return try found.number() == 1
        }
        await server.kill()
        #expect(await victim == .connectionLost)
        for _ in 0..<5 {
            let failure = await code { _ = try await postgres.query("SELECT 1") }
            #expect(failure == .connectFailed || failure == .connectionLost)
        }
        try await server.restart()
        #expect(try await postgres.query("SELECT 1").count == 1)
        postgres.close()
        await server.stop()
    }

    @Test("Large parameters and large results pass whole")
    func large() async throws {
        let postgres = try await pool()
        let text = String(repeating: "0123456789abcdef", count: 1 << 19)
        #expect(try await postgres.query("SELECT length(\(text)::text)").number() == text.utf8.count)
        let rows = try await postgres.query("SELECT g, repeat('x', 50) FROM generate_series(1, 100000) g")
        #expect(rows.count == 100_000)
        #expect(try rows[99_999].decode(Int.self, String.self).0 == 100_000)
        postgres.close()
    }

    @Test("A thread-bound connection keeps its deadline and opens a new one after a failure")
    func threadBound() async throws {
        let url = try await TestStack.shared().freshDatabase()
        let configuration = try PostgresConfiguration(url: url)
        let bound = ThreadBoundPostgres(configuration)
        #expect(try bound.query("SELECT 1", within: .seconds(5)).count == 1)
        #expect(throws: PostgresError.self) { try bound.query("SELECT pg_sleep(5)", within: .milliseconds(100)) }
        #expect(try bound.query("SELECT 2", within: .seconds(5)).number() == 2)
    }

    @Test("A wrong address names its setting and never its password")
    func wrongAddress() {
        for url in ["mysql://u:s3cret@h/d", "s3cret", "postgresql://u:s3cret@h:notaport/d"] {
            do throws(PostgresError) {
                _ = try PostgresConfiguration(url: url)
                // libpq reads ports only when it connects.
            } catch {
                #expect(error.code == .invalidURL)
                #expect(error.description.contains("DATABASE_URL") && !error.description.contains("s3cret"))
            }
        }
    }
}

@Suite("Migrator")
struct MigratorTests {
    private let logger = Logger(label: "test")

    @Test("Of many processes at once each migration is applied by one; a changed file is refused")
    func once() async throws {
        let url = try await TestStack.shared().freshDatabase()
        let postgres = Postgres(try PostgresConfiguration(url: url, size: 6), logger: logger)
        let steps = [
            Migration(name: "1", sql: "CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE TABLE b (id int);"),
            Migration(name: "2", sql: "INSERT INTO a VALUES (2);"),
        ]
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<5 { group.addTask { try await Migrator(postgres, logger: logger).run(steps) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == ["1", "2"])
        #expect(try await postgres.query("SELECT count(*) FROM a").number() == 2)
        await #expect(throws: Migrator.Changed.self) {
            _ = try await Migrator(postgres, logger: logger).run([Migration(name: "1", sql: "SELECT 1")])
        }
        postgres.close()
    }
}

extension PostgresResult {
    /// The one number of a one-row result; -1 where there is none.
    func number() throws -> Int {
        guard let row = first else { return -1 }
        return try row.decode(Int.self)
    }
}
