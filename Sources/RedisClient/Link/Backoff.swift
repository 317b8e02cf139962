import NIOCore

/// How long to wait before the next attempt to connect: 50 ms doubled up to 2 s, of which a random part between half
/// and all is waited, so that many clients do not come back in step.
enum Backoff {
    /// - Parameters:
    ///   - failures: Attempts that have failed in a row.
    ///   - jitter: A random number from 0 to 1.
    /// - Returns: The pause before the next attempt.
    static func delay(after failures: Int, jitter: Double) -> TimeAmount {
        let whole = min(50 << min(max(failures, 0), 6), 2000)
        return .microseconds(Int64(Double(whole) * 1000 * (0.5 + min(max(jitter, 0), 1) / 2)))
    }
}
