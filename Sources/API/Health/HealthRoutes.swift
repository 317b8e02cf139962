import Domain
import HTTPTypes
import Queue
import RedisClient
private import Synchronization

/// `GET /api/health` (contract S-11): 503 while Postgres is away; Redis away or full only degrades.
struct HealthRoutes: Routes {
    let queue: JobQueue
    /// Test settings that are on, so that nobody runs with one by accident (decision D-130).
    let testSettings: [String]
    /// Anybody may ask, and the answer counts jobs: it is made four times a second at most.
    private let last = RecentAnswer(lifetime: .milliseconds(250))

    init(queue: JobQueue, testSettings: [String]) {
        self.queue = queue
        self.testSettings = testSettings
    }

    var table: [Route] { [.get("/api/health", access: .open, tier: .unlimited, use: health)] }

    @Sendable
    func health(_ request: APIRequest) async throws -> APIResponse {
        try await last.answer(else: look)
    }

    @Sendable
    private func look() async throws -> APIResponse {
        let redis = queue.dispatch.redis.isConnected
        guard let fleet = try? await Inspector(queue).fleet() else {
            return APIResponse(
                .serviceUnavailable,
                ["status": "unavailable", "postgres": false, "redis": .bool(redis), "workers": 0, "queues": [:]]
            )
        }
        await queue.dispatch.watchMemory()
        let isFull = queue.dispatch.isFull
        var body: [String: JSON] = [
            "status": redis && !isFull ? "ok" : "degraded", "postgres": true, "redis": .bool(redis),
            "workers": .integer(fleet.workers), "queues": .object(fleet.queues.mapValues(\.json)),
            "dead_24h": .object(fleet.deaths.mapValues(JSON.integer)),
        ]
        if isFull { body["redis_full"] = true }
        if !testSettings.isEmpty { body["testSettings"] = .array(testSettings.map(JSON.string)) }
        return .ok(.object(body))
    }
}

/// An answer that may be given again for a while.
private final class RecentAnswer: Sendable {
    private let lifetime: Duration
    private let last = Mutex<(answer: APIResponse, at: ContinuousClock.Instant)?>(nil)

    init(lifetime: Duration) {
        self.lifetime = lifetime
    }

    func answer(else make: @Sendable () async throws -> APIResponse) async throws -> APIResponse {
        if let known = last.withLock({ $0 }), known.at.duration(to: .now) < lifetime { return known.answer }
        let answer = try await make()
        last.withLock { $0 = (answer, .now) }
        return answer
    }
}

extension QueueDepth {
    fileprivate var json: JSON {
        [
            "ready": .integer(ready), "delayed": .integer(delayed), "running": .integer(running),
            "dead": .integer(dead),
            "oldest_ready_seconds": oldestReady.map(JSON.number) ?? .null,
        ]
    }
}
