private import Synchronization

/// A bell: ringing wakes the one task that waits, or lets its next wait return at once.
final class Signal: Sendable {
    private struct State {
        var rung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.rung = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when the bell rings, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Bool in
                    guard !state.rung else {
                        state.rung = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if now || Task.isCancelled { ring(continuation, already: now) }
            }
        } onCancel: {
            ring()
        }
    }

    /// The task was cancelled before the bell knew of it.
    private func ring(_ continuation: CheckedContinuation<Void, Never>, already: Bool) {
        if already { return continuation.resume() }
        ring()
    }
}
