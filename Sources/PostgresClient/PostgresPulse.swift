private import CLibPQ
private import Dispatch
private import Synchronization

/// Notices that a server which holds our connections open has stopped answering: it is stopped, or the way to it is cut.
///
/// While something is asked and no byte has come on any connection for as long as the patience, a connection of its own is
/// tried. An answer to that, be it a refusal, means that the server lives and statements are slow; they are left alone.
/// Without one for as long again, the server is taken for silent: what is under way is given up and nothing new is sent until
/// it answers.
final class PostgresPulse: Sendable {
    private struct State {
        var underWay: [ObjectIdentifier: PostgresConnection] = [:]
        var heard = ContinuousClock.now
        var isWatching = false
        var isProbing = false
        var isSilent = false
    }

    private enum Step {
        case rest
        case look(at: ContinuousClock.Instant)
        case probe
    }

    private let configuration: PostgresConfiguration
    private let patience: Duration
    private let reactor: Reactor
    private let state = Mutex(State())

    /// - Returns: nil where the configuration has no patience to lose.
    init?(_ configuration: PostgresConfiguration, reactor: Reactor) {
        guard let patience = configuration.patience else { return nil }
        self.configuration = configuration
        self.patience = patience
        self.reactor = reactor
    }

    /// The server does not answer.
    var isSilent: Bool { state.withLock { $0.isSilent } }

    /// What callers are told meanwhile.
    var error: PostgresError {
        PostgresError(
            .connectFailed,
            "the server has not answered for \(patience), nor has it accepted a new connection within as long; "
                + "nothing is sent until it does"
        )
    }

    // MARK: What connections tell

    /// A statement is on its way.
    func began(_ connection: PostgresConnection) {
        let starts = state.withLock { state in
            if state.underWay.isEmpty { state.heard = .now }
            state.underWay[ObjectIdentifier(connection)] = connection
            guard !state.isWatching else { return false }
            state.isWatching = true
            return true
        }
        if starts { look(at: .now + patience) }
    }

    /// It was answered, or given up.
    func ended(_ connection: PostgresConnection) {
        state.withLock { _ = $0.underWay.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Something came from the server.
    func hear() {
        state.withLock { $0.heard = .now }
    }

    /// No connection could be opened, and that took so long.
    func openFailed(after waited: Duration) {
        guard waited >= patience, state.withLock({ !$0.isSilent && $0.heard.duration(to: .now) >= patience }) else {
            return
        }
        fallSilent()
    }

    // MARK: Watching

    private func look(at moment: ContinuousClock.Instant) {
        reactor.execute { [self] in
            _ = reactor.setTimer(moment) { [weak self] in self?.look() }
        }
    }

    private func look() {
        let step = state.withLock { state -> Step in
            guard !state.underWay.isEmpty, !state.isSilent else {
                state.isWatching = false
                return .rest
            }
            let next = state.heard + patience
            return next > .now ? .look(at: next) : .probe
        }
        switch step {
        case .rest: break
        case .look(let moment): look(at: moment)
        case .probe:
            let asked = ContinuousClock.now
            probe()
            reactor.execute { [self] in
                // A connection takes longer than an answer.
                _ = reactor.setTimer(asked + patience * 3 / 2) { [weak self] in self?.judge(since: asked) }
            }
        }
    }

    /// The probe's time is over.
    private func judge(since asked: ContinuousClock.Instant) {
        guard state.withLock({ $0.heard < asked && !$0.underWay.isEmpty }) else { return look() }
        fallSilent()
    }

    private func fallSilent() {
        let given = state.withLock { state in
            state.isSilent = true
            state.isWatching = false
            return Array(state.underWay.values)
        }
        for connection in given { connection.giveUp(error.message) }
        probe()
    }

    // MARK: Probing

    /// Tries a connection, one at a time; libpq blocks for at most two seconds, so it does on a thread of Dispatch.
    private func probe() {
        let starts = state.withLock { state in
            guard !state.isProbing else { return false }
            state.isProbing = true
            return true
        }
        guard starts else { return }
        DispatchQueue.global().async { [self] in
            let began = ContinuousClock.now
            if case .success(let handle) = configuration.open() {
                PQfinish(handle)
                return answered(true)
            }
            answered(began.duration(to: .now) < patience)
        }
    }

    /// - Parameter isAlive: the server accepted or refused the connection; false where it did neither.
    private func answered(_ isAlive: Bool) {
        let again = state.withLock { state in
            state.isProbing = false
            if isAlive {
                state.heard = .now
                state.isSilent = false
            }
            return state.isSilent
        }
        guard again else { return }
        reactor.execute { [self] in
            _ = reactor.setTimer(.now + .milliseconds(250)) { [weak self] in self?.probe() }
        }
    }
}
