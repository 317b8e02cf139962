import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Keeps one connection alive: connects in the background from the start, and again whenever it is lost.
final class RedisLink: Sendable {
    private typealias Attempt = Result<RedisConnection, RedisError>
    private typealias Plan = ReconnectPlan<RedisConnection, CheckedContinuation<Attempt, Never>>

    let configuration: RedisConfiguration
    let eventLoop: any EventLoop
    private let logger: Logger
    private let plan: Mutex<Plan>
    private let lastReport = Mutex("")
    private let lastToken = Atomic<UInt64>(0)

    init(_ configuration: RedisConfiguration, logger: Logger, patience: ReconnectPatience) {
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "redis"] = "\(configuration.address)"
        self.logger = logger
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        plan = Mutex(Plan(patience: patience, address: configuration.address))
        attempt()
    }

    deinit { plan.withLock { $0.connection }?.end(because: "the client was let go") }

    var epoch: Int { plan.withLock { $0.epoch } }

    /// The connection there is right now, if any.
    var current: RedisConnection? { plan.withLock { $0.connection } }

    /// A connection to send on. Waits at most until the deadline, and only where the link's patience says so.
    func connection(before deadline: NIODeadline) async throws(RedisError) -> RedisConnection {
        switch plan.withLock({ $0.route }) {
        case .ready(let connection): return connection
        case .refused(let error): throw error
        case .wait: return try await nextAttempt(before: deadline).get()
        }
    }

    /// Replaces a connection on which something is under way that is no longer wanted.
    func replace(_ connection: RedisConnection, because reason: String) {
        let (isCurrent, epoch) = plan.withLock { ($0.connection === connection, $0.epoch) }
        if isCurrent { lost(connection, epoch: epoch, because: reason) }
        connection.end(because: reason)
    }

    /// Ends it all: those who wait get `closed`, open replies come in within the grace. May be called twice.
    func close(grace: TimeAmount) async {
        let connection = shut()
        connection?.finish(within: grace)
        // Never fails: it only says that the channel is closed.
        try? await connection?.channel.closeFuture.get()
    }

    /// Like ``close()``, without waiting.
    func abandon() { shut()?.end(because: RedisConnection.closedByUs) }

    private func shut() -> RedisConnection? {
        let (connection, waiters) = plan.withLock { $0.close() }
        for waiter in waiters { waiter.resume(returning: .failure(.closed(configuration.address))) }
        return connection
    }
}

// Waiting for a connection.
extension RedisLink {
    private func nextAttempt(before deadline: NIODeadline) async -> Attempt {
        let token = lastToken.wrappingAdd(1, ordering: .relaxed).newValue
        let late = RedisError.connectFailed(
            to: configuration.address,
            because: "no connection was made in time. Check that the server runs there and is not overloaded"
        )
        let alarm = eventLoop.scheduleTask(deadline: deadline) { self.leave(token, late) }
        defer { alarm.cancel() }
        let cancelled = RedisError.cancelled(at: configuration.address, mayHaveRun: false)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { enter(token, $0, until: deadline, late: late, cancelled: cancelled) }
        } onCancel: {
            leave(token, cancelled)
        }
    }

    private func enter(
        _ token: UInt64,
        _ waiter: CheckedContinuation<Attempt, Never>,
        until deadline: NIODeadline,
        late: RedisError,
        cancelled: RedisError
    ) {
        let answer: Attempt? = plan.withLock { plan in
            // Cancellation or alarm before this line found nobody to wake, so both are looked at here.
            if Task.isCancelled { return .failure(cancelled) }
            if NIODeadline.now() >= deadline { return .failure(late) }
            switch plan.route {
            case .ready(let connection): return .success(connection)
            case .refused(let error): return .failure(error)
            case .wait:
                plan.wait(token, waiter)
                return nil
            }
        }
        if let answer { waiter.resume(returning: answer) }
    }

    private func leave(_ token: UInt64, _ error: RedisError) {
        plan.withLock { $0.leave(token) }?.resume(returning: .failure(error))
    }
}

// Connecting and reconnecting.
extension RedisLink {
    private func attempt() {
        // Weakly, here and below: a client that nobody holds any more must not be kept alive by its own attempts.
        Connector(configuration: configuration, eventLoop: eventLoop).open().whenComplete { [weak self] result in
            switch result {
            case .success(let connection):
                guard let self else { return connection.end(because: "the client was let go") }
                self.succeeded(connection)
            case .failure(let error): self?.failed(error)
            }
        }
    }

    private func succeeded(_ connection: RedisConnection) {
        let (waiters, epoch) = plan.withLock { ($0.succeeded(connection), $0.epoch) }
        guard let waiters else { return connection.end(because: RedisConnection.closedByUs) }
        report("connected to Redis", at: .info, metadata: ["epoch": "\(epoch)"])
        for waiter in waiters { waiter.resume(returning: .success(connection)) }
        connection.channel.closeFuture.whenComplete { [weak self] _ in
            self?.lost(connection, epoch: epoch, because: connection.ended ?? "the connection was closed")
        }
    }

    private func failed(_ error: any Error) {
        let failure = error as? RedisError ?? .connectFailed(to: configuration.address, because: "\(error)")
        let decision = plan.withLock { $0.failed(because: failure.message, jitter: .random(in: 0...1)) }
        guard let decision else { return }
        report("no connection to Redis, trying again", at: .warning, metadata: ["error": "\(failure.message)"])
        for waiter in decision.waiters { waiter.resume(returning: .failure(failure)) }
        retry(in: decision.retry)
    }

    /// Our own doing, and no news for anybody.
    static let cancelledRead = "a blocking read was cancelled"

    private func lost(_ connection: RedisConnection, epoch: Int, because reason: String) {
        let delay = plan.withLock { $0.lost(epoch: epoch, because: reason, jitter: .random(in: 0...1)) }
        guard let delay else { return }
        let level: Logger.Level = reason == Self.cancelledRead ? .debug : .warning
        report("connection to Redis lost, connecting again", at: level, metadata: ["error": "\(reason)"])
        retry(in: delay)
    }

    private func retry(in delay: TimeAmount) {
        eventLoop.scheduleTask(in: delay) { [weak self] in
            guard let self, self.plan.withLock({ $0.resume() }) else { return }
            self.attempt()
        }
    }

    /// The same trouble every two seconds is news only once.
    private func report(_ message: Logger.Message, at level: Logger.Level, metadata: Logger.Metadata) {
        let text = "\(message) \(metadata["error"].map { "\($0)" } ?? "")"
        let isNews = lastReport.withLock { last in
            defer { last = text }
            return last != text
        }
        logger.log(level: isNews ? level : .debug, message, metadata: metadata)
    }
}
