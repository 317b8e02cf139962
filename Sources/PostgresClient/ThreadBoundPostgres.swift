private import CLibPQ
private import Glibc

/// One connection for one thread, for work that must go on while Swift's pool of threads is busy: the heartbeat.
///
/// Not `Sendable`: make it on the thread that uses it.
package final class ThreadBoundPostgres {
    private let configuration: PostgresConfiguration
    private var handle: OpaquePointer?

    /// Opens nothing yet; the first ``query(_:deadline:)`` connects.
    package init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
    }

    deinit { close() }

    /// Sends one statement and blocks this thread until its result, or the deadline, whatever comes first.
    ///
    /// After any failure the connection is closed, and the next call opens a new one.
    package func query(_ sql: SQL, within limit: Duration) throws(PostgresError) -> PostgresResult {
        let deadline = ContinuousClock.now + limit
        let handle = try connected()
        do {
            return try exchange(sql, handle, deadline)
        } catch {
            close()
            throw error
        }
    }

    package func close() {
        if let handle { PQfinish(handle) }
        handle = nil
    }

    private func connected() throws(PostgresError) -> OpaquePointer {
        if let handle { return handle }
        let opened = try configuration.open().get()
        handle = opened
        return opened
    }

    private func exchange(
        _ sql: SQL,
        _ handle: OpaquePointer,
        _ deadline: ContinuousClock.Instant
    ) throws(PostgresError) -> PostgresResult {
        guard PostgresConnection.send(sql, to: handle), PQpipelineSync(handle) == 1 else { throw lost(handle) }
        let exchange = PostgresExchange(statements: [sql])
        while true {
            guard PQflush(handle) >= 0 else { throw lost(handle) }
            while PQisBusy(handle) == 0 {
                guard let result = PQgetResult(handle) else {
                    if exchange.sawNull() { continue }
                    break
                }
                if exchange.take(result) { return try exchange.outcome() }
            }
            try wait(handle, deadline)
        }
    }

    private func wait(_ handle: OpaquePointer, _ deadline: ContinuousClock.Instant) throws(PostgresError) {
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { throw PostgresError(.timeout, "no answer before the deadline") }
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, Int32(clamping: milliseconds + 1))
        guard PQconsumeInput(handle) == 1 else { throw lost(handle) }
    }

    private func lost(_ handle: OpaquePointer) -> PostgresError {
        PostgresError(.connectionLost, PostgresConfiguration.message(of: handle))
    }
}
