import FoundationEssentials
import Synchronization

/// Lets a few tools run at once and makes the others wait: each may take half a gigabyte, and a worker has many slots.
final class ToolGate: Sendable {
    private struct State {
        var free: Int
        var waiting: [(id: UUID, wake: CheckedContinuation<Void, any Error>)] = []
        /// Cancelled before they began to wait.
        var gone: Set<UUID> = []
    }

    private let state: Mutex<State>

    /// Of this process.
    static let shared = ToolGate(width: 2)

    init(width: Int) { state = Mutex(State(free: width)) }

    /// - Throws: `CancellationError` where the task is cancelled while it waits, and what `body` throws.
    func pass<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async throws {
        let id = UUID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wake in
                let answer: Swift.Result<Void, any Error>? = state.withLock { state in
                    if state.gone.remove(id) != nil { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiting.append((id, wake))
                    return nil
                }
                if let answer { wake.resume(with: answer) }
            }
        } onCancel: {
            abandon(id)
        }
        state.withLock { _ = $0.gone.remove(id) }
    }

    private func abandon(_ id: UUID) {
        let wake = state.withLock { state in
            guard let place = state.waiting.firstIndex(where: { $0.id == id }) else {
                state.gone.insert(id)
                return nil as CheckedContinuation<Void, any Error>?
            }
            return state.waiting.remove(at: place).wake
        }
        wake?.resume(throwing: CancellationError())
    }

    private func leave() {
        let next = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil as CheckedContinuation<Void, any Error>?
            }
            return state.waiting.removeFirst().wake
        }
        next?.resume()
    }
}
