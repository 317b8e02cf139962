private import Glibc
import Logging
import PostgresClient
import Queue
private import Synchronization

/// Renews the session's lease from a thread and a connection of its own, so that neither busy jobs nor a busy pool can let
/// it lapse.
///
/// When it could not renew for 80 % of the lease it says so, before anyone else may start the jobs.
final class Heartbeat: Sendable {
    enum Event: Sendable {
        /// Renewed. `running` are the ids the ledger books under the session; `cancelled` shall end.
        case renewed(running: [Int], cancelled: [Int])
        case lost(String)
    }

    private struct State {
        var stopping = false
        var running = 0
    }

    private let session: Int
    private let lease: Duration
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let state = Mutex(State())
    private let events: @Sendable (Event) -> Void

    init(
        session: Int,
        lease: Duration,
        configuration: PostgresConfiguration,
        logger: Logger,
        events: @escaping @Sendable (Event) -> Void
    ) {
        self.session = session
        self.lease = lease
        self.configuration = configuration
        self.logger = logger
        self.events = events
    }

    func report(running: Int) {
        state.withLock { $0.running = running }
    }

    func stop() {
        state.withLock { $0.stopping = true }
    }

    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Heartbeat>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            context.toOpaque()
        )
        guard failure == 0 else {
            context.release()
            return events(.lost("no thread for the heartbeat: pthread_create answered \(failure)"))
        }
        pthread_detach(thread)
    }

    private func run() {
        let postgres = ThreadBoundPostgres(configuration)
        var renewed = ContinuousClock.now
        while !state.withLock({ $0.stopping }) {
            pause(lease * 0.3)
            guard !state.withLock({ $0.stopping }) else { return }
            // The lease counts from the statement, not from its answer.
            var sent = ContinuousClock.now
            switch beat(postgres, within: renewed + lease * 0.8, &sent) {
            case .renewed(let running, let cancelled):
                renewed = sent
                events(.renewed(running: running, cancelled: cancelled))
            case .lost(let reason):
                return events(.lost(reason))
            }
        }
    }

    /// Tries until it succeeds, the session turns out to be over, or the deadline has passed.
    private func beat(
        _ postgres: ThreadBoundPostgres,
        within deadline: ContinuousClock.Instant,
        _ sent: inout ContinuousClock.Instant
    ) -> Event {
        var lastError = "the deadline had passed"
        while ContinuousClock.now < deadline, !state.withLock({ $0.stopping }) {
            do {
                sent = .now
                let left = sent.duration(to: deadline)
                let renewal = Ledger.renewSession(session, lease: lease, running: state.withLock { $0.running })
                guard let row = try postgres.query(renewal, within: min(left, lease * 0.4)).first else {
                    return .lost("Postgres says that the session is over")
                }
                let (running, cancelled) = try row.decode([Int].self, [Int].self)
                return .renewed(running: running, cancelled: cancelled)
            } catch {
                lastError = error.description
                logger.warning("the lease could not be renewed; trying again", metadata: ["error": "\(error)"])
                pause(lease * 0.05)
            }
        }
        return .lost("the lease could not be renewed in time: \(lastError)")
    }

    /// Sleeps on this thread, in short steps so that a stop is noticed.
    private func pause(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end, !state.withLock({ $0.stopping }) {
            let left = ContinuousClock.now.duration(to: end)
            var step = timespec(
                tv_sec: 0,
                tv_nsec: Int(min(left, .milliseconds(100)).components.attoseconds / 1_000_000_000)
            )
            nanosleep(&step, nil)
        }
    }
}
