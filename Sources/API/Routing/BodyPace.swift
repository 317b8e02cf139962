import Synchronization

/// How patient a route is with a large body.
package struct BodyPace: Sendable {
    /// Waiting for the client that is always forgiven.
    package let grace: Duration
    /// What it must send on average while we wait for it, after that.
    package let bytesPerSecond: Int
    /// For the whole body.
    package let total: Duration

    package init(grace: Duration = .seconds(10), bytesPerSecond: Int = 1024, total: Duration = .seconds(300)) {
        self.grace = grace
        self.bytesPerSecond = bytesPerSecond
        self.total = total
    }

    /// Does `work`, and ends it with 408 where the client is too slow.
    ///
    /// - Parameter meter: counts what `work` reads.
    func keep<Value: Sendable>(
        _ meter: BodyMeter,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask { try await end(meter) }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw APIError.internal }
            return value
        }
    }

    /// Throws when patience ends, and does nothing else.
    private func end<Value>(_ meter: BodyMeter) async throws -> Value {
        let deadline = ContinuousClock.now + total
        let look = min(grace / 4, .seconds(1))
        while ContinuousClock.now < deadline, !isTooSlow(meter) { try await Task.sleep(for: look) }
        throw APIError.tooSlow
    }

    private func isTooSlow(_ meter: BodyMeter) -> Bool {
        let (waited, bytes) = meter.reading()
        return waited > grace + .milliseconds(bytes * 1000 / bytesPerSecond)
    }
}

/// How long a client has kept us waiting for its body, and what came. Our own slowness is not counted against it.
final class BodyMeter: Sendable {
    private struct State {
        var waited = Duration.zero
        var since: ContinuousClock.Instant?
        var bytes = 0
    }

    private let state = Mutex(State())

    func waits() { state.withLock { $0.since = .now } }

    func received(_ count: Int) {
        state.withLock { state in
            state.waited += state.since.map { .now - $0 } ?? .zero
            state.since = nil
            state.bytes += count
        }
    }

    func reading() -> (waited: Duration, bytes: Int) {
        state.withLock { state in (state.waited + (state.since.map { .now - $0 } ?? .zero), state.bytes) }
    }
}
