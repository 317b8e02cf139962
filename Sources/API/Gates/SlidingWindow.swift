import Synchronization

/// What the limiter says to one request.
struct Admission: Sendable, Equatable {
    let isAdmitted: Bool
    let limit: Int
    let remaining: Int
    /// Microseconds since 1970 at which the oldest admission leaves the window: a waiting caller is admitted then.
    let resets: Int64
    let now: Int64

    /// Whole seconds to wait, at least 1.
    var retryAfter: Int { max(1, Int((resets - now + 999_999) / 1_000_000)) }
    /// Whole seconds since 1970; a request at that moment or later is admitted.
    var resetSecond: Int { Int((resets + 999_999) / 1_000_000) }
}

/// The moments of the last admissions of one principal. The same rule as `admit.lua`.
struct SlidingWindow: Sendable {
    /// Microseconds, oldest first.
    private var moments: ArraySlice<Int64> = []

    /// - Parameter counts: false only looks.
    mutating func admit(at moment: Int64, _ limit: RateLimit, counts: Bool = true) -> Admission {
        let window = Int64(limit.seconds) * 1_000_000
        let now = max(moment, moments.last ?? moment)
        moments = moments.drop { $0 <= now - window }
        let isAdmitted = moments.count < limit.count
        if isAdmitted, counts { moments.append(now) }
        return Admission(
            isAdmitted: isAdmitted,
            limit: limit.count,
            remaining: max(0, limit.count - moments.count),
            resets: (moments.first ?? now) + window,
            now: now
        )
    }

    /// Nothing in it counts any more.
    func isIdle(at moment: Int64, _ seconds: Int) -> Bool {
        moments.last.map { $0 <= moment - Int64(seconds) * 1_000_000 } ?? true
    }
}

/// The windows of this process, for as long as Redis is away.
final class LocalWindows: Sendable {
    /// Principals that are kept before idle ones are dropped.
    private static let capacity = 10_000
    private let windows = Mutex<[String: SlidingWindow]>([:])

    func admit(_ key: String, at moment: Int64, _ limit: RateLimit, counts: Bool) -> Admission {
        windows.withLock { windows in
            if windows.count >= Self.capacity {
                windows = windows.filter { !$0.value.isIdle(at: moment, limit.seconds) }
            }
            return windows[key, default: SlidingWindow()].admit(at: moment, limit, counts: counts)
        }
    }
}
