import NIOCore

/// Which callers wait for an attempt to connect instead of failing at once.
enum ReconnectPatience: Sendable {
    /// Until the first attempt since the start has finished; afterwards nobody waits.
    case firstAttempt
    /// Whenever there is no connection, until the current or next attempt has finished.
    case everyAttempt
}

/// When to connect again, and what a caller finds meanwhile. Pure: events go in, decisions come out.
struct ReconnectPlan<Connection, Waiter> {
    enum Route {
        case ready(Connection)
        case wait
        case refused(RedisError)
    }

    private enum Phase {
        case connecting
        case online(Connection)
        case pausing
        case closed
    }

    /// Raised on every successful connect; 0 before the first.
    private(set) var epoch = 0

    private let patience: ReconnectPatience
    private let address: String
    private var phase = Phase.connecting
    private var failures = 0
    private var isFirstAttempt = true
    private var reason = "no attempt has finished yet"
    private var waiters: [UInt64: Waiter] = [:]

    init(patience: ReconnectPatience, address: String) {
        self.patience = patience
        self.address = address
    }

    var connection: Connection? { if case .online(let connection) = phase { connection } else { nil } }

    var route: Route {
        switch phase {
        case .online(let connection): return .ready(connection)
        case .closed: return .refused(.closed(address))
        case .connecting, .pausing:
            let waits = isFirstAttempt || patience == .everyAttempt
            return waits ? .wait : .refused(.notConnected(to: address, because: reason))
        }
    }

    /// Lets a caller wait for the attempt's end; call only after ``route`` said so, without letting go of the lock.
    mutating func wait(_ token: UInt64, _ waiter: Waiter) { waiters[token] = waiter }

    /// Takes out one caller who waits no longer; nil when the attempt's end was faster.
    mutating func leave(_ token: UInt64) -> Waiter? { waiters.removeValue(forKey: token) }

    /// An attempt succeeded. Returns those who waited; nil when the client was closed meanwhile and has no use for it.
    mutating func succeeded(_ connection: Connection) -> [Waiter]? {
        guard case .connecting = phase else { return nil }
        phase = .online(connection)
        epoch += 1
        failures = 0
        isFirstAttempt = false
        return takeWaiters()
    }

    /// An attempt failed. Returns those who waited and when to try again; nil when the client was closed meanwhile.
    mutating func failed(because reason: String, jitter: Double) -> (waiters: [Waiter], retry: TimeAmount)? {
        guard case .connecting = phase else { return nil }
        let retry = pause(because: reason, jitter: jitter)
        failures += 1
        isFirstAttempt = false
        return (takeWaiters(), retry)
    }

    /// A connection ended. Returns when to try again; nil when that was known, or wanted.
    mutating func lost(epoch: Int, because reason: String, jitter: Double) -> TimeAmount? {
        guard case .online = phase, epoch == self.epoch else { return nil }
        return pause(because: reason, jitter: jitter)
    }

    /// The pause is over. True when an attempt should begin.
    mutating func resume() -> Bool {
        guard case .pausing = phase else { return false }
        phase = .connecting
        return true
    }

    /// No connection is wanted any more. Returns the one there is, and those who waited.
    mutating func close() -> (connection: Connection?, waiters: [Waiter]) {
        defer { phase = .closed }
        return (connection, takeWaiters())
    }

    private mutating func pause(because reason: String, jitter: Double) -> TimeAmount {
        phase = .pausing
        self.reason = reason
        return Backoff.delay(after: failures, jitter: jitter)
    }

    private mutating func takeWaiters() -> [Waiter] {
        defer { waiters = [:] }
        return Array(waiters.values)
    }
}
