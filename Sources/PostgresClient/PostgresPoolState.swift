private import DequeModule

/// Who has which connection and who waits: the deciding half of the pool.
struct PostgresPoolState {
    typealias Waiter = CheckedContinuation<Result<PostgresConnection?, PostgresError>, Never>

    enum Request {
        case use(PostgresConnection)
        /// A new connection may be opened; the place is already counted.
        case open
        case wait
        case closed
    }

    enum Handed {
        case none
        case waiter(Waiter)
        /// The connection is gone: the waiter opens a new one in its place.
        case replace(Waiter)
        case discard
    }

    private var idle: [PostgresConnection] = []
    private var dead: Set<ObjectIdentifier> = []
    private var total = 0
    /// In the order of their deadlines, give or take a moment, for all wait equally long.
    private var waiting: Deque<(ticket: Int, deadline: ContinuousClock.Instant, waiter: Waiter)> = []
    private var lastTicket = 0
    /// Whether the clock runs for somebody in the line.
    private var isTimed = false
    private var closed = false

    mutating func request(limit: Int) -> Request {
        if closed { return .closed }
        if let connection = idle.popLast() { return .use(connection) }
        guard total < limit else { return .wait }
        total += 1
        return .open
    }

    mutating func ticket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// Joins the line; the answer is there at once when a connection came free meanwhile.
    /// Nil in it is a place that came free: the caller opens a connection.
    mutating func enqueue(
        _ ticket: Int,
        limit: Int,
        until deadline: ContinuousClock.Instant,
        _ waiter: Waiter
    ) -> Result<PostgresConnection?, PostgresError>? {
        if closed { return .failure(PostgresError(.closed, "")) }
        if let connection = idle.popLast() { return .success(connection) }
        guard total >= limit else {
            total += 1
            return .success(nil)
        }
        waiting.append((ticket, deadline, waiter))
        return nil
    }

    /// Whether a clock is to be started, which then counts as running.
    mutating func needsClock() -> Bool {
        defer { isTimed = isTimed || !waiting.isEmpty }
        return !isTimed && !waiting.isEmpty
    }

    /// The clock has rung.
    ///
    /// - Returns: those who have waited long enough, and when it is to ring again; nil stops it.
    mutating func ring(
        at now: ContinuousClock.Instant
    ) -> (late: [Waiter], next: ContinuousClock.Instant?) {
        var late: [Waiter] = []
        while let first = waiting.first, first.deadline <= now { late.append(waiting.removeFirst().waiter) }
        isTimed = !waiting.isEmpty
        return (late, waiting.first?.deadline)
    }

    mutating func leave(_ ticket: Int) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiting.remove(at: index).waiter
    }

    mutating func release(_ connection: PostgresConnection) -> Handed {
        if dead.remove(ObjectIdentifier(connection)) != nil {
            guard !waiting.isEmpty, !closed else {
                total -= 1
                return .none
            }
            return .replace(waiting.removeFirst().waiter)
        }
        if closed {
            total -= 1
            return .discard
        }
        guard !waiting.isEmpty else {
            idle.append(connection)
            return .none
        }
        return .waiter(waiting.removeFirst().waiter)
    }

    /// A connection ended by itself. One that is lent out is counted when it comes back.
    mutating func died(_ connection: PostgresConnection) -> Waiter? {
        if let index = idle.firstIndex(where: { $0 === connection }) {
            idle.remove(at: index)
            return openFailed()
        }
        dead.insert(ObjectIdentifier(connection))
        return nil
    }

    /// A counted place is free again: the next in line may try to open a connection in it.
    mutating func openFailed() -> Waiter? {
        guard !waiting.isEmpty, !closed else {
            total -= 1
            return nil
        }
        return waiting.removeFirst().waiter
    }

    mutating func takeIdle() -> [PostgresConnection] {
        defer {
            total -= idle.count
            idle = []
        }
        return idle
    }

    /// Everybody who waits for a connection.
    mutating func takeWaiters() -> [Waiter] {
        defer { waiting = [] }
        return waiting.map(\.waiter)
    }

    mutating func close() -> ([PostgresConnection], [Waiter]) {
        closed = true
        defer {
            total -= idle.count
            idle = []
            waiting = []
        }
        return (idle, waiting.map(\.waiter))
    }
}
