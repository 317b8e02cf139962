import Domain
import Glibc
import HTTPTypes
import RedisClient

/// How the limiter is set up.
package struct RateSettings: Sendable {
    /// Limits that differ from the usual ones.
    package let limits: [RateTier: RateLimit]
    /// API processes of this installation: with Redis away, each admits its share.
    package let replicas: Int
    /// How long Redis may take for one question before this process counts by itself; who asks while one is on its way waits for
    /// that too.
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

/// Admits at most N requests of a principal in a sliding window, over all API processes (contract, decision O-3).
///
/// One script call on the shared pipelined connection for all requests of a principal that come at the same time. Redis away
/// is no reason to refuse: this process then counts by itself, with its share of the limit.
struct RateLimiter: Sendable {
    let redis: Redis
    let namespace: String
    let settings: RateSettings
    private let local = LocalWindows()
    private let admissions: Gathering<Window, [Int]>

    /// A principal's window of a tier.
    private struct Window: Hashable {
        let key: String
        let limit: RateLimit
    }

    private static let admit = RedisScript(
        name: "admit",
        body: String(decoding: PackageResources.admit_lua, as: UTF8.self)
    )

    init(redis: Redis, namespace: String, settings: RateSettings) {
        self.redis = redis
        self.namespace = namespace
        self.settings = settings
        admissions = Gathering { windows in
            let calls = windows.map { Self.call($0.question, asked: $0.count) }
            return await redis.runAll(calls, timeout: settings.patience).map(Self.numbers)
        }
    }

    private static func call(_ window: Window, asked: Int) -> RedisScriptCall {
        let microseconds = window.limit.seconds * 1_000_000
        return (admit, keys: [window.key], arguments: [window.limit.count, microseconds, asked].map(String.init))
    }

    /// Empty where Redis did not answer.
    private static func numbers(_ outcome: RedisOutcome) -> [Int] {
        (try? outcome.get())?.array?.compactMap(\.integer) ?? []
    }

    /// - Parameter principal: API key, user or address.
    /// - Returns: nil on a tier without a limit.
    func admit(_ principal: String, _ tier: RateTier) async -> Admission? {
        guard let window = window(principal, tier) else { return nil }
        let (numbers, place) = await admissions.ask(window)
        guard numbers.count == 4 else { return admitAlone(window, counts: true) }
        // Those who asked at once are admitted in the order of their places, as far as it goes.
        let isAdmitted = place < numbers[0]
        let left = isAdmitted ? numbers[1] + numbers[0] - 1 - place : 0
        return Self.admission(isAdmitted, left, numbers, window)
    }

    /// The same without being counted: whether the next one would be admitted.
    func look(_ principal: String, _ tier: RateTier) async -> Admission? {
        guard let window = window(principal, tier) else { return nil }
        let outcomes = await redis.runAll([Self.call(window, asked: 0)], timeout: settings.patience)
        let numbers = outcomes.first.map(Self.numbers) ?? []
        guard numbers.count == 4 else { return admitAlone(window, counts: false) }
        return Self.admission(numbers[1] > 0, numbers[1], numbers, window)
    }

    private func window(_ principal: String, _ tier: RateTier) -> Window? {
        guard tier != .unlimited else { return nil }
        // The tag holds the principal alone, so that all of its windows lie in one slot of a cluster.
        return Window(key: "\(namespace):{rl:\(principal)}:\(tier.rawValue)", limit: settings.limit(tier))
    }

    private static func admission(_ isAdmitted: Bool, _ left: Int, _ numbers: [Int], _ window: Window) -> Admission {
        Admission(
            isAdmitted: isAdmitted,
            limit: window.limit.count,
            remaining: left,
            resets: Int64(numbers[2]),
            now: Int64(numbers[3])
        )
    }

    private func admitAlone(_ window: Window, counts: Bool) -> Admission {
        let (count, seconds) = (window.limit.count, window.limit.seconds)
        let share = RateLimit(count: (count + settings.replicas - 1) / settings.replicas, seconds: seconds)
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let moment = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        return local.admit(window.key, at: moment, share, counts: counts)
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
