private import Synchronization

/// A transaction that everything below a call takes part in, without being told of it.
final class AmbientTransaction: Sendable {
    @TaskLocal static var current: AmbientTransaction?

    let pool: Postgres
    let connection: PostgresConnection
    private let state = Mutex(State())

    private struct State {
        var deeds: [@Sendable () async -> Void] = []
        var isOpen = true
    }

    init(_ pool: Postgres, _ connection: PostgresConnection) {
        self.pool = pool
        self.connection = connection
    }

    /// A task that outlives the transaction still has it as its `current`, and must not use its connection.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    func add(_ deed: @escaping @Sendable () async -> Void) {
        state.withLock { $0.deeds.append(deed) }
    }

    /// - Returns: what is to be done after the commit.
    func end() -> [@Sendable () async -> Void] {
        state.withLock { state in
            state.isOpen = false
            return state.deeds
        }
    }
}

extension Postgres {
    /// Runs `body` within one transaction: whatever it does with this pool, through any store, is part of it, and
    /// transactions that it begins become savepoints. Commits when `body` returns, rolls back when it throws.
    ///
    /// For one task at a time: `body` must not use the pool from several child tasks at once.
    ///
    /// - Parameter opening: the first statement; it travels with BEGIN, and `body` gets its result.
    /// - Throws: what `body` throws; ``PostgresError/Code/connectionLost`` from the COMMIT means the outcome is unknown.
    package func enclosing<Value: Sendable>(
        opening: SQL,
        _ body: @Sendable (PostgresResult) async throws -> Value
    ) async throws -> Value {
        let (value, deeds) = try await enclosed(opening, body)
        // The connection is back in the pool by now: a deed may need one.
        for deed in deeds { await deed() }
        return value
    }

    private func enclosed<Value: Sendable>(
        _ opening: SQL,
        _ body: @Sendable (PostgresResult) async throws -> Value
    ) async throws -> (Value, [@Sendable () async -> Void]) {
        let connection = try await acquire()
        defer { release(connection) }
        let transaction = PostgresTransaction(
            connection,
            timeout: configuration.statementTimeout,
            wall: TenantWall.around(self)
        )
        let ambient = AmbientTransaction(self, connection)
        do {
            let opened = try await transaction.query(opening)
            let value = try await AmbientTransaction.$current.withValue(ambient) { try await body(opened) }
            let deeds = ambient.end()
            try await transaction.commit()
            return (value, deeds)
        } catch {
            _ = ambient.end()
            await transaction.rollBack()
            throw error
        }
    }

    /// Runs `body` outside of the transaction that encloses the caller, if one does: what it writes is committed on its own,
    /// and stays when the enclosing one rolls back. Must not wait for rows that the enclosing one holds.
    ///
    /// For what another process must see before the caller can go on: a job whose answer is awaited.
    package func apart<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        try await AmbientTransaction.$current.withValue(nil) { try await body() }
    }

    /// Runs `deed` at once, or, within ``enclosing(opening:_:)``, after its commit; never when that rolls back.
    ///
    /// For what must not be seen before the rows it is about: hints to Redis, wake-ups.
    package func afterCommit(_ deed: @escaping @Sendable () async -> Void) async {
        guard let ambient = AmbientTransaction.current, ambient.pool === self, ambient.isOpen else {
            return await deed()
        }
        ambient.add(deed)
    }
}
