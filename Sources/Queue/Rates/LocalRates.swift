import Synchronization

/// Buckets of this process alone, for as long as Redis is away. The same rules as `Scripts/bucket.lua` and `take.lua`, with
/// this process's share of the rate.
final class LocalRates: Sendable {
    /// One of a pair of buckets.
    private struct Side {
        let size: Double
        /// What comes back in a millisecond.
        let fill: Double
        var level: Double

        mutating func pass(_ milliseconds: Double) { add(milliseconds * fill) }

        mutating func add(_ amount: Double) { level = min(size, level + amount) }

        func wait(for wanted: Double) -> Double {
            let short = min(wanted, max(size / 4, min(size, 1))) - level
            return wanted > 0 && short > 0 ? max(0, (short / fill - 0.000_001).rounded(.up)) : 0
        }
    }

    private struct Pair {
        var requests: Side?
        var tokens: Side?
        var at: Double
    }

    private let pairs = Mutex<[RateBucket: Pair]>([:])

    /// - Parameters:
    ///   - share: the processes that the rate is divided by, at least 1.
    ///   - now: milliseconds of any clock that does not stand still.
    /// - Returns: milliseconds to wait; 0 where both were taken.
    func take(_ bucket: RateBucket, requests: Int, tokens: Int, share: Int, now: Double) -> Double {
        pairs.withLock { pairs in
            var pair = Self.filled(pairs[bucket], bucket, share: share, now: now)
            defer { pairs[bucket] = pair }
            let wait = max(
                pair.requests?.wait(for: Double(requests)) ?? 0,
                pair.tokens?.wait(for: Double(tokens)) ?? 0
            )
            if wait == 0 {
                pair.requests?.level -= Double(requests)
                pair.tokens?.level -= Double(tokens)
            }
            return wait
        }
    }

    func giveBack(_ bucket: RateBucket, requests: Int, tokens: Int) {
        pairs.withLock { pairs in
            guard var pair = pairs[bucket] else { return }
            pair.requests?.add(Double(requests))
            pair.tokens?.add(Double(tokens))
            pairs[bucket] = pair
        }
    }

    /// The buckets as they are now; full ones the first time. A share that changed keeps the levels.
    private static func filled(_ known: Pair?, _ bucket: RateBucket, share: Int, now: Double) -> Pair {
        let share = Double(max(1, share))
        func side(_ size: Double, _ perMinute: Double, _ level: Double?) -> Side {
            Side(size: size, fill: perMinute / 60_000, level: min(size, level ?? size))
        }
        var pair = Pair(at: max(now, known?.at ?? now))
        if let limit = bucket.requests.map(Double.init) {
            let slack = (limit / share / 20).rounded(.down)
            pair.requests = side(slack + 1, limit / share - slack, known?.requests?.level)
        }
        if let limit = bucket.tokens.map(Double.init) {
            pair.tokens = side(limit / share, limit / share, known?.tokens?.level)
        }
        let passed = pair.at - (known?.at ?? pair.at)
        pair.requests?.pass(passed)
        pair.tokens?.pass(passed)
        return pair
    }
}
