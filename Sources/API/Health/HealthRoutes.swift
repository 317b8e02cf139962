import Domain
import HTTPTypes
import Queue
import RedisClient

/// `GET /api/health` (contract S-11): 503 while Postgres is away; Redis away only degrades.
struct HealthRoutes: Routes {
    let queue: JobQueue
    /// Test settings that are on, so that nobody runs with one by accident (decision D-130).
    let testSettings: [String]

    var table: [Route] { [.get("/api/health", access: .open, tier: .unlimited, use: health)] }

    @Sendable
    func health(_ request: APIRequest) async throws -> APIResponse {
        let redis = queue.dispatch.redis.isConnected
        guard let fleet = try? await Inspector(queue).fleet() else {
            return APIResponse(
                .serviceUnavailable,
                ["status": "unavailable", "postgres": false, "redis": .bool(redis), "workers": 0, "queues": [:]]
            )
        }
        var body: [String: JSON] = [
            "status": redis ? "ok" : "degraded", "postgres": true, "redis": .bool(redis),
            "workers": .integer(fleet.workers), "queues": .object(fleet.queues.mapValues(\.json)),
        ]
        if !testSettings.isEmpty { body["testSettings"] = .array(testSettings.map(JSON.string)) }
        return .ok(.object(body))
    }
}

extension QueueDepth {
    fileprivate var json: JSON {
        ["ready": .integer(ready), "delayed": .integer(delayed), "running": .integer(running), "dead": .integer(dead)]
    }
}
