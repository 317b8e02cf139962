import Glibc
import HTTPTypes
import RedisClient

/// How the limiter is set up.
package struct RateSettings: Sendable {
    /// Limits that differ from the usual ones.
    package let limits: [RateTier: RateLimit]
    /// API processes of this installation: with Redis away, each admits its share.
    package let replicas: Int
    /// How long Redis may take before this process counts by itself.
    package let patience: Duration

    package init(
        limits: [RateTier: RateLimit] = [:],
        replicas: Int = 1,
        patience: Duration = .milliseconds(500)
    ) {
        self.limits = limits
        self.patience = patience
        self.replicas = max(1, replicas)
    }

    func limit(_ tier: RateTier) -> RateLimit { limits[tier] ?? tier.usual }
}

/// Admits at most N requests of a principal in any window, over all API processes (contract, decision O-3).
///
/// One script call per request on the shared pipelined connection. Redis away is no reason to refuse: this process then
/// counts by itself, with its share of the limit.
struct RateLimiter: Sendable {
    let redis: Redis
    let namespace: String
    let settings: RateSettings
    private let local = LocalWindows()

    private static let admit = RedisScript(
        name: "admit",
        body: String(decoding: PackageResources.admit_lua, as: UTF8.self)
    )

    init(redis: Redis, namespace: String, settings: RateSettings) {
        self.redis = redis
        self.namespace = namespace
        self.settings = settings
    }

    /// - Parameter principal: API key, user or address.
    /// - Returns: nil on a tier without a limit.
    func admit(_ principal: String, _ tier: RateTier) async -> Admission? {
        await ask(principal, tier, counts: true)
    }

    /// The same without being counted: whether the next one would be admitted.
    func look(_ principal: String, _ tier: RateTier) async -> Admission? {
        await ask(principal, tier, counts: false)
    }

    private func ask(_ principal: String, _ tier: RateTier, counts: Bool) async -> Admission? {
        guard tier != .unlimited else { return nil }
        let limit = settings.limit(tier)
        // The tag holds the principal alone, so that all of its windows lie in one slot of a cluster.
        let key = "\(namespace):{rl:\(principal)}:\(tier.rawValue)"
        let arguments = [String(limit.count), String(limit.seconds * 1_000_000), counts ? "1" : "0"]
        let reply = try? await redis.run(Self.admit, keys: [key], arguments: arguments, timeout: settings.patience)
        let numbers = reply?.array?.compactMap(\.integer) ?? []
        guard numbers.count == 4 else { return admitAlone(key, limit, counts: counts) }
        return Admission(
            isAdmitted: numbers[0] == 1,
            limit: limit.count,
            remaining: numbers[1],
            resets: Int64(numbers[2]),
            now: Int64(numbers[3])
        )
    }

    private func admitAlone(_ key: String, _ limit: RateLimit, counts: Bool) -> Admission {
        let share = RateLimit(count: (limit.count + settings.replicas - 1) / settings.replicas, seconds: limit.seconds)
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let moment = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        return local.admit(key, at: moment, share, counts: counts)
    }
}

extension Admission {
    /// What every answer tells the caller about its limit.
    func tell(_ headers: inout HTTPFields) {
        headers[.rateLimit] = String(limit)
        headers[.rateRemaining] = String(remaining)
        headers[.rateReset] = String(resetSecond)
        if !isAdmitted { headers[.retryAfter] = String(retryAfter) }
    }
}

extension HTTPField.Name {
    static let rateLimit = Self.custom("X-RateLimit-Limit")
    static let rateRemaining = Self.custom("X-RateLimit-Remaining")
    static let rateReset = Self.custom("X-RateLimit-Reset")
    static let idempotencyKey = Self.custom("Idempotency-Key")
    static let idempotentReplayed = Self.custom("Idempotent-Replayed")
    static let forwardedFor = Self.custom("X-Forwarded-For")
    static let stripeSignature = Self.custom("Stripe-Signature")

    /// For names that are known to be well formed.
    private static func custom(_ name: String) -> Self { Self(name) ?? .init(parsed: name.lowercased()) ?? .server }
}
