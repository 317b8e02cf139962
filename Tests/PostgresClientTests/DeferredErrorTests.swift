import Logging
import PostgresClient
import TestSupport
import Testing

@Suite("Errors that come only with the commit")
struct DeferredErrorTests {
    @Test("A deferred constraint fails the call that caused it, and the connection is good for the next one")
    func deferred() async throws {
        let url = try await TestStack.shared().freshDatabase()
        let configuration = try PostgresConfiguration(url: url, size: 1)
        let postgres = Postgres(configuration, logger: Logger(label: "deferred"))
        _ = try await postgres.query("CREATE TABLE numbers (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        let single = await #expect(throws: PostgresError.self) {
            try await postgres.query("INSERT INTO numbers VALUES (1), (1)")
        }
        #expect(single?.isUniqueViolation == true)
        let several = await #expect(throws: PostgresError.self) {
            try await postgres.pipeline(["INSERT INTO numbers VALUES (2)", "INSERT INTO numbers VALUES (2)"])
        }
        #expect(several?.isUniqueViolation == true)
        let transaction = await #expect(throws: PostgresError.self) {
            try await postgres.transaction { sql in _ = try await sql.query("INSERT INTO numbers VALUES (3), (3)") }
        }
        #expect(transaction?.isUniqueViolation == true)
        #expect(try await postgres.query("SELECT n FROM numbers").isEmpty)
        postgres.close()
    }
}
