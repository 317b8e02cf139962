private import Synchronization

/// Why a running job was cancelled. The first reason stands.
final class InterruptionBox: Sendable {
    private let state = Mutex<SessionState.Interruption?>(nil)

    var reason: SessionState.Interruption? { state.withLock { $0 } }

    func set(_ reason: SessionState.Interruption) {
        state.withLock { $0 = $0 ?? reason }
    }
}
