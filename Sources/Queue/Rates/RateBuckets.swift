import PostgresClient
package import RedisClient
private import Synchronization

/// Rates that the whole fleet keeps together: what a call takes, all workers have less of.
///
/// One script call on the shared connection per take; giving back is not waited for. Redis away stops nobody: each process
/// then keeps its share, the rate divided by the workers that are alive. Losing what is in Redis means full buckets.
package final class RateBuckets: Sendable {
    /// The fleet's size, as it was when somebody last asked.
    private struct Share {
        var workers = 1
        var readAt: ContinuousClock.Instant?
    }

    /// How long Redis may take before this process counts by itself.
    private static let patience = Duration.milliseconds(500)
    /// How long a count of the workers holds.
    private static let glance = Duration.seconds(5)

    private let redis: Redis
    private let postgres: Postgres
    private let keys: Keys
    private let clock: (@Sendable () -> Int)?
    private let local = LocalRates()
    private let share = Mutex(Share())
    private let started = ContinuousClock.now

    /// - Parameter clock: milliseconds since 1970 for tests; nil is the clock of Redis.
    package init(_ ledger: Ledger, _ dispatch: Dispatch, clock: (@Sendable () -> Int)? = nil) {
        redis = dispatch.redis
        postgres = ledger.postgres
        keys = dispatch.keys
        self.clock = clock
    }

    /// Takes from both buckets, or from none.
    ///
    /// - Parameters:
    ///   - requests: at least 0.
    ///   - tokens: a bound on what they need. More than a quarter of the bucket goes out when it holds a quarter, and then owes
    ///     the rest.
    package func take(_ bucket: RateBucket, requests: Int = 1, tokens: Int) async -> RateAnswer {
        let reply = try? await redis.run(
            Scripts.take,
            keys: [keys.rate(bucket.name), keys.rates],
            arguments: [bucket.name] + limits(bucket) + ["\(requests)", "\(tokens)", now],
            timeout: Self.patience
        )
        guard let parts = reply?.array, parts.count == 4, let wait = parts[1].integer else {
            return await takeAlone(bucket, requests, tokens)
        }
        guard parts[0].integer == 1 else { return .refused(.milliseconds(wait)) }
        return .taken(RateToll(bucket: bucket, requests: requests, tokens: tokens, isLocal: false))
    }

    /// Gives back what was not needed, and lowers the buckets to what the other side says is left. Does not wait for Redis:
    /// what is lost on the way comes back by itself within a minute.
    ///
    /// - Parameters:
    ///   - requests: at least 0.
    ///   - tokens: below 0 where more was needed than was taken.
    ///   - requestsLeft: by the other side's word; nil where it says nothing.
    ///   - tokensLeft: the same.
    ///   - age: since the other side said so: meanwhile its buckets have filled again.
    package func giveBack(
        _ toll: RateToll,
        requests: Int = 0,
        tokens: Int,
        requestsLeft: Int? = nil,
        tokensLeft: Int? = nil,
        saidBefore age: Duration = .zero
    ) {
        guard !toll.isLocal else { return local.giveBack(toll.bucket, requests: requests, tokens: tokens) }
        guard requests != 0 || tokens != 0 || requestsLeft != nil || tokensLeft != nil else { return }
        let left = [requestsLeft, tokensLeft].map { $0.map { "\(max(0, $0))" } ?? "" }
        redis.post(
            Scripts.giveBack,
            keys: [keys.rate(toll.bucket.name)],
            arguments: limits(toll.bucket) + ["\(requests)", "\(tokens)"] + left + [now, "\(age.milliseconds)"]
        )
    }

    /// All buckets that were taken from within a week, by name.
    ///
    /// - Throws: `RedisError`, where Redis is away.
    package func list() async throws(RedisError) -> [RateBucketView] {
        let fields = try await redis.send(["HGETALL", keys.rates]).array?.compactMap(\.string) ?? []
        let buckets = stride(from: 0, to: fields.count - 1, by: 2).map { Self.bucket(fields[$0], fields[$0 + 1]) }
        var views: [RateBucketView] = []
        for bucket in buckets.sorted(by: { $0.name < $1.name }) {
            let parts =
                try await redis.run(
                    Scripts.take,
                    keys: [keys.rate(bucket.name), keys.rates],
                    arguments: [bucket.name] + limits(bucket) + ["0", "0", now]
                ).array ?? []
            guard parts.count == 4 else { continue }
            views.append(
                RateBucketView(bucket: bucket, requestsLeft: parts[2].integer, tokensLeft: parts[3].integer)
            )
        }
        return views
    }

    private static func bucket(_ name: String, _ limits: String) -> RateBucket {
        let numbers = limits.split(separator: ",").map { Int($0).flatMap { $0 > 0 ? $0 : nil } }
        return RateBucket(name: name, requests: numbers.first ?? nil, tokens: numbers.last ?? nil)
    }

    private func limits(_ bucket: RateBucket) -> [String] { ["\(bucket.requests ?? 0)", "\(bucket.tokens ?? 0)"] }

    private var now: String { clock.map { "\($0())" } ?? "" }

    // MARK: Without Redis

    private func takeAlone(_ bucket: RateBucket, _ requests: Int, _ tokens: Int) async -> RateAnswer {
        let now = clock.map { Double($0()) } ?? Self.milliseconds(started.duration(to: .now))
        let share = await workers()
        let wait = local.take(bucket, requests: requests, tokens: tokens, share: share, now: now)
        guard wait == 0 else { return .refused(.milliseconds(min(wait, 60_000))) }
        return .taken(RateToll(bucket: bucket, requests: requests, tokens: tokens, isLocal: true))
    }

    /// Sessions with a lease; what was known before where Postgres cannot be asked.
    private func workers() async -> Int {
        let known = share.withLock { $0 }
        if let readAt = known.readAt, readAt.duration(to: .now) < Self.glance { return known.workers }
        let found = try? await postgres.query(
            """
            SELECT count(*) FROM worker_sessions
            WHERE state IN ('live','draining') AND lease_until > clock_timestamp()
            """
        ).first?.decode(Int.self)
        guard let found else { return known.workers }
        share.withLock { $0 = Share(workers: max(1, found), readAt: .now) }
        return max(1, found)
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) * 1_000 + Double(duration.components.attoseconds) / 1e15
    }
}
