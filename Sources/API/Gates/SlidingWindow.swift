import Synchronization

/// What the limiter says to one request.
struct Admission: Sendable, Equatable {
    let isAdmitted: Bool
    let limit: Int
    let remaining: Int
    /// Microseconds since 1970 at which the oldest admissions leave the window: a waiting caller is admitted then.
    let resets: Int64
    let now: Int64

    /// Whole seconds to wait, at least 1.
    var retryAfter: Int { max(1, Int((resets - now + 999_999) / 1_000_000)) }
    /// Whole seconds since 1970; a request at that moment or later is admitted.
    var resetSecond: Int { Int((resets + 999_999) / 1_000_000) }
}

/// What of `limit` a principal has used, in cohorts. The same rule as `admit.lua`.
struct SlidingWindow: Sendable {
    private struct Cohort {
        /// Microseconds.
        let began: Int64
        var count: Int
    }

    /// Oldest first; a twentieth of the window each.
    private var cohorts: ArraySlice<Cohort> = []

    /// - Parameter counts: false only looks.
    mutating func admit(at moment: Int64, _ limit: RateLimit, counts: Bool = true) -> Admission {
        let window = Int64(limit.seconds) * 1_000_000
        let grain = window / 20
        let now = max(moment, cohorts.last?.began ?? moment)
        cohorts = cohorts.drop { $0.began <= now - window }
        let began = now - now % min(grain, 1_000_000)
        let used = cohorts.reduce(0) { $0 + $1.count }
        let isAdmitted = used < limit.count
        if isAdmitted, counts {
            if let last = cohorts.indices.last, now < cohorts[last].began + grain {
                cohorts[last].count += 1
            } else {
                cohorts.append(Cohort(began: began, count: 1))
            }
        }
        return Admission(
            isAdmitted: isAdmitted,
            limit: limit.count,
            remaining: max(0, limit.count - used - (isAdmitted && counts ? 1 : 0)),
            resets: (cohorts.first?.began ?? began) + window,
            now: now
        )
    }

    /// Nothing in it counts any more.
    func isIdle(at moment: Int64, _ seconds: Int) -> Bool {
        cohorts.last.map { $0.began <= moment - Int64(seconds) * 1_000_000 } ?? true
    }
}

/// The windows of this process, for as long as Redis is away.
final class LocalWindows: Sendable {
    /// Principals that are kept before idle ones are dropped.
    private static let capacity = 10_000
    private let windows = Mutex<[String: (window: SlidingWindow, seconds: Int)]>([:])

    func admit(_ key: String, at moment: Int64, _ limit: RateLimit, counts: Bool) -> Admission {
        windows.withLock { windows in
            if windows.count >= Self.capacity {
                windows = windows.filter { !$0.value.window.isIdle(at: moment, $0.value.seconds) }
            }
            return windows[key, default: (SlidingWindow(), limit.seconds)].window
                .admit(at: moment, limit, counts: counts)
        }
    }
}
