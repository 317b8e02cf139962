package import Logging
private import Synchronization

/// A pool of pipelined Postgres connections, shared by any number of callers.
///
/// Nothing depends on session state (no SET, no named statements, no LISTEN), so it works through PgBouncer in transaction
/// mode. Lost connections are replaced by the next caller; a statement that was under way fails with
/// ``PostgresError/Code/connectionLost`` and is never sent again by the pool.
package final class Postgres: Sendable {
    package let configuration: PostgresConfiguration
    private let reactor: Reactor
    private let pulse: PostgresPulse?
    private let state = Mutex(PostgresPoolState())
    private let logger: Logger

    /// Makes an empty pool; connections are opened when they are needed.
    package init(_ configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        let reactor = Reactor()
        self.reactor = reactor
        pulse = PostgresPulse(configuration, reactor: reactor)
    }

    /// Sends one statement and waits for its result.
    ///
    /// - Parameter timeout: how long the server may take; nil is the configuration's `statementTimeout`.
    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresError) -> PostgresResult {
        let results = try await pipeline([sql], timeout: timeout)
        guard let result = results.first else { throw PostgresError(.unexpectedResult, "no result") }
        return result
    }

    /// The same, with one plan for whatever the parameters hold. For statements of every request: one with an array is
    /// otherwise planned anew each time, which takes ten times as long as to carry it out. Not for use within a transaction, whose
    /// later statements it would hold too.
    package func queryWithOnePlan(_ sql: SQL) async throws(PostgresError) -> PostgresResult {
        // A parameter, because a statement without any is not prepared.
        let mode: SQL = "SELECT set_config('plan_cache_mode', \("force_generic_plan"), true)"
        let results = try await pipeline([mode, sql])
        guard let result = results.last else { throw PostgresError(.unexpectedResult, "no result") }
        return result
    }

    /// Sends statements in one round trip, as one transaction: all take effect, or none.
    ///
    /// - Returns: one result per statement, in order.
    package func pipeline(
        _ statements: [SQL],
        timeout: Duration? = nil
    ) async throws(PostgresError) -> [PostgresResult] {
        let wall = TenantWall.around(self)
        let connection = try await acquire()
        let isEnclosed = AmbientTransaction.current?.connection === connection
        let (before, after) = (wall.map { [$0.raise] } ?? [], isEnclosed ? wall.map { [$0.lower] } ?? [] : [])
        let result = await connection.run(
            wall == nil ? statements : before + statements + after,
            deadline: .now + (timeout ?? configuration.statementTimeout)
        )
        release(connection)
        let results = try result.get()
        return wall == nil ? results : Array(results.dropFirst(before.count).dropLast(after.count))
    }

    /// Runs `body` in a transaction: BEGIN travels with its first statement, COMMIT follows its last. Throwing rolls back.
    ///
    /// - Throws: what `body` throws; ``PostgresError/Code/connectionLost`` from the COMMIT means the outcome is unknown.
    package func transaction<Value>(
        timeout: Duration? = nil,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        let connection = try await acquire()
        defer { release(connection) }
        let transaction = PostgresTransaction(
            connection,
            timeout: timeout ?? configuration.statementTimeout,
            words: AmbientTransaction.current?.connection === connection ? .nested : .outermost,
            wall: TenantWall.around(self)
        )
        do {
            let value = try await body(transaction)
            try await transaction.commit()
            return value
        } catch {
            await transaction.rollBack()
            throw error
        }
    }

    /// Like ``transaction(timeout:_:)``, and tries again, up to `attempts` in all, when Postgres chose it as a victim of a
    /// deadlock or of a serialization failure.
    package func retryingTransaction<Value>(
        attempts: Int = 4,
        timeout: Duration? = nil,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        for _ in 1..<max(1, attempts) {
            do {
                return try await transaction(timeout: timeout, body)
            } catch let error as PostgresError where error.isRetryable {
                continue
            }
        }
        return try await transaction(timeout: timeout, body)
    }

    /// Closes all connections and refuses further work. Calling it twice is harmless.
    package func close() {
        let (connections, waiters) = state.withLock { $0.close() }
        for connection in connections { connection.close() }
        for waiter in waiters { waiter.resume(returning: .failure(PostgresError(.closed, ""))) }
        reactor.stop()
    }

    /// Closes the connections that nobody uses; the next callers open new ones.
    package func discardIdle() {
        for connection in state.withLock({ $0.takeIdle() }) { connection.close() }
    }

    // MARK: The pool

    func acquire() async throws(PostgresError) -> PostgresConnection {
        if let ambient = AmbientTransaction.current, ambient.pool === self, ambient.isOpen {
            return ambient.connection
        }
        if let pulse, pulse.isSilent { throw pulse.error }
        switch state.withLock({ $0.request(limit: configuration.size) }) {
        case .use(let connection): return connection
        case .open: return try await open()
        case .closed: throw PostgresError(.closed, "")
        case .wait: break
        }
        switch await wait() {
        case .success(let connection?): return connection
        case .success(nil): return try await open()
        case .failure(let error): throw error
        }
    }

    /// A place in the line. The reactor's clock bounds the wait.
    private func wait() async -> Result<PostgresConnection?, PostgresError> {
        guard !Task.isCancelled else { return .failure(PostgresError(.cancelled, "")) }
        let ticket = state.withLock { $0.ticket() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let deadline = ContinuousClock.now + configuration.wait
                let (answer, needsClock) = state.withLock { state in
                    (
                        state.enqueue(ticket, limit: configuration.size, until: deadline, continuation),
                        state.needsClock()
                    )
                }
                if let answer { continuation.resume(returning: answer) }
                if needsClock { reactor.execute { [self] in startClock(deadline) } }
            }
        } onCancel: {
            let waiter = state.withLock { $0.leave(ticket) }
            waiter?.resume(returning: .failure(PostgresError(.cancelled, "")))
        }
    }

    /// One clock for the whole line: a timer for each who waits would be thousands that never ring.
    private func startClock(_ deadline: ContinuousClock.Instant) {
        _ = reactor.setTimer(deadline) { [weak self] in self?.ring() }
    }

    private func ring() {
        let (late, next) = state.withLock { $0.ring(at: .now) }
        let text = "all \(configuration.size) connections of the pool were busy for \(configuration.wait)"
        for waiter in late { waiter.resume(returning: .failure(PostgresError(.poolExhausted, text))) }
        if let next { startClock(next) }
    }

    private func open() async throws(PostgresError) -> PostgresConnection {
        let began = ContinuousClock.now
        do throws(PostgresError) {
            if let pulse, pulse.isSilent { throw pulse.error }
            return try await PostgresConnection(configuration, reactor: reactor, pulse: pulse) {
                [weak self] connection in
                self?.forget(connection)
            }
        } catch {
            pulse?.openFailed(after: began.duration(to: .now))
            state.withLock { $0.openFailed() }?.resume(returning: .success(nil))
            throw error
        }
    }

    func release(_ connection: PostgresConnection) {
        guard AmbientTransaction.current?.connection !== connection else { return }
        let handed = state.withLock { $0.release(connection) }
        switch handed {
        case .none: break
        case .waiter(let continuation): continuation.resume(returning: .success(connection))
        case .replace(let continuation): continuation.resume(returning: .success(nil))
        case .discard: connection.close()
        }
    }

    private func forget(_ connection: PostgresConnection) {
        logger.debug("a Postgres connection ended")
        state.withLock { $0.died(connection) }?.resume(returning: .success(nil))
        if let pulse, pulse.isSilent { turnAway(pulse.error) }
    }

    /// The server is silent: nobody waits for a connection, and none that it has is trusted any more.
    private func turnAway(_ error: PostgresError) {
        discardIdle()
        for waiter in state.withLock({ $0.takeWaiters() }) { waiter.resume(returning: .failure(error)) }
    }
}
