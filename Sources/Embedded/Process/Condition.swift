/// Waiting for something to become true.
enum Condition {
    /// Looks every few milliseconds until `check` holds or `limit` is over; true when it held.
    ///
    /// Goes on in a cancelled task: a server that was asked to end is waited for all the same.
    static func holds(within limit: Duration, _ check: () async throws -> Bool) async rethrows -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        while true {
            if try await check() { return true }
            guard clock.now < deadline else { return false }
            await pause()
        }
    }

    private static func pause() async {
        // A task of its own, because in a cancelled one sleep returns at once and this wait would spin.
        await Task { _ = try? await Task.sleep(for: .milliseconds(5)) }.value
    }
}
