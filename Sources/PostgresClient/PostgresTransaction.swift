/// An open transaction on one connection. Not for use by two tasks at once.
package final class PostgresTransaction {
    private let connection: PostgresConnection
    private let timeout: Duration
    private let words: Words
    private let wall: TenantWall?
    private var begun = false
    private var ended = false

    /// How it begins and ends: on its own, or within another one that ``Postgres/enclosing(opening:_:)`` holds open.
    struct Words {
        let begin: SQL
        let commit: SQL
        let committed: String
        let rollBack: SQL
        let isNested: Bool

        static let outermost = Words(
            begin: "BEGIN",
            commit: "COMMIT",
            committed: "COMMIT",
            rollBack: "ROLLBACK",
            isNested: false
        )
        static let nested = Words(
            begin: "SAVEPOINT inner_transaction",
            commit: "RELEASE SAVEPOINT inner_transaction",
            committed: "RELEASE",
            rollBack: "ROLLBACK TO SAVEPOINT inner_transaction",
            isNested: true
        )
    }

    init(
        _ connection: PostgresConnection,
        timeout: Duration,
        words: Words = .outermost,
        wall: TenantWall? = nil
    ) {
        self.connection = connection
        self.timeout = timeout
        self.words = words
        self.wall = wall
    }

    /// Within another transaction the wall is raised with every write: what else the call does there lowers it again.
    private var opening: [SQL] {
        (begun ? [] : [words.begin]) + (begun && !words.isNested ? [] : wall.map { [$0.raise] } ?? [])
    }

    /// What the wall hides ends with the transaction; one that encloses it goes on without the wall.
    private var closing: [SQL] { (words.isNested ? wall.map { [$0.lower] } ?? [] : []) + [words.commit] }

    /// Sends one statement. The first one takes BEGIN along in the same write.
    package func query(_ sql: SQL) async throws(PostgresError) -> PostgresResult {
        let results = try await pipeline([sql])
        guard let result = results.first else { throw PostgresError(.unexpectedResult, "no result") }
        return result
    }

    /// Sends statements in one round trip. After an error the transaction can only be rolled back.
    package func pipeline(_ statements: [SQL]) async throws(PostgresError) -> [PostgresResult] {
        guard !ended else { throw PostgresError(.closed, "the transaction has ended") }
        let opening = opening
        begun = true
        let results = try await run(opening + statements)
        return Array(results.dropFirst(opening.count))
    }

    /// Sends the last statements and COMMIT in one round trip, for a transaction whose last results decide nothing.
    ///
    /// - Parameter reading: what to read after the commit, in the same trip; it is behind no wall.
    /// - Returns: the results of the statements, then those of the reading.
    package func finish(
        _ statements: [SQL],
        reading: [SQL] = []
    ) async throws(PostgresError) -> [PostgresResult] {
        guard !ended else { throw PostgresError(.closed, "the transaction has ended") }
        let (opening, closing) = (opening, closing)
        begun = true
        var results = try await run(opening + statements + closing + reading)
        ended = true
        results.removeSubrange((opening.count + statements.count)..<(results.count - reading.count))
        return Array(results.dropFirst(opening.count))
    }

    func commit() async throws(PostgresError) {
        guard begun, !ended else { return }
        let results = try await run(closing)
        ended = true
        guard results.last?.command == words.committed else {
            throw PostgresError(.server(sqlState: "25P02"), "the transaction had failed and was rolled back")
        }
    }

    func rollBack() async {
        guard begun, !ended else { return }
        ended = true
        // The caller may have been cancelled, and the connection must come back clean all the same.
        let result = await Task { [connection, timeout, words] in
            await connection.run([words.rollBack], deadline: .now + timeout)
        }.value
        if case .failure = result { connection.close() }
    }

    private func run(_ statements: [SQL]) async throws(PostgresError) -> [PostgresResult] {
        try await connection.run(statements, deadline: .now + timeout).get()
    }
}
