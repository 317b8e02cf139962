private import PostgresClient
private import RedisClient

/// A tenant with ready work in a queue.
package struct TenantWait: Sendable {
    package let queue: String
    package let tenant: String
    package let ready: Int
    package let running: Int
    /// Jobs at once; 0 is no cap.
    package let cap: Int
    /// Seconds that its oldest ready job has waited.
    package let oldest: Double
}

/// Jobs a second since the frame before.
package struct QueueRate: Sendable, Equatable {
    package let entered: Double
    /// Done, cancelled or dead.
    package let left: Double
}

/// The whole fleet at one moment, for a screen that is drawn again and again.
package struct FleetFrame: Sendable {
    package let queues: [String: QueueDepth]
    /// Empty in the first frame.
    package let rates: [String: QueueRate]
    /// Live and draining sessions.
    package let workers: [WorkerView]
    /// Those with the most ready jobs, most first.
    package let tenants: [TenantWait]
    package let redisIsConnected: Bool
    let taken: ContinuousClock.Instant
    let newest: Int
}

extension Inspector {
    /// Reads all that a live screen shows.
    ///
    /// - Parameter previous: the frame before, from which rates are worked out.
    package func frame(after previous: FleetFrame?) async throws -> FleetFrame {
        let newer: SQL = previous.map { "WHERE id > \($0.newest)" } ?? "WHERE id = (SELECT max(id) FROM jobs)"
        let results = try await queue.postgres.pipeline([
            "SELECT queue, count(*), max(id) FROM jobs \(clause: newer) GROUP BY queue",
            """
            SELECT w.queue, w.tenant, w.ready, w.oldest, coalesce(l.concurrency, 0),
                   (SELECT count(*) FROM jobs r WHERE r.state = 'running' AND r.queue = w.queue AND r.tenant = w.tenant)
            FROM (SELECT queue, tenant, count(*) AS ready,
                         extract(epoch FROM clock_timestamp() - min(run_at))::float8 AS oldest
                  FROM jobs WHERE state = 'queued' AND run_at <= clock_timestamp()
                  GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 8) w
            LEFT JOIN tenant_limits l ON l.queue = w.queue AND l.tenant = w.tenant
            ORDER BY w.ready DESC
            """,
        ])
        let queues = try await fleetWithRedis().queues
        var entered: [String: Int] = [:]
        var newest = previous?.newest ?? 0
        for row in results[0] {
            let (name, count, last) = try row.decode(String.self, Int.self, Int.self)
            entered[name] = count
            newest = max(newest, last)
        }
        let taken = ContinuousClock.now
        return FleetFrame(
            queues: queues,
            rates: previous.map { Self.rates(from: $0, to: queues, entered: entered, at: taken) } ?? [:],
            workers: try await workers().filter { $0.state == "live" || $0.state == "draining" },
            tenants: try results[1].map { row in try Self.tenant(row) },
            redisIsConnected: queue.dispatch.redis.isConnected,
            taken: taken,
            newest: newest
        )
    }

    /// What left is what came in, less what there is more of now: no counter has to be kept for it.
    private static func rates(
        from previous: FleetFrame,
        to queues: [String: QueueDepth],
        entered: [String: Int],
        at taken: ContinuousClock.Instant
    ) -> [String: QueueRate] {
        let seconds = max(0.001, Double(previous.taken.duration(to: taken).milliseconds) / 1000)
        return Dictionary(
            uniqueKeysWithValues: queues.map { name, depth in
                let more = depth.open - (previous.queues[name]?.open ?? 0)
                let came = entered[name] ?? 0
                let rate = QueueRate(entered: Double(came) / seconds, left: Double(max(0, came - more)) / seconds)
                return (name, rate)
            }
        )
    }

    private static func tenant(_ row: Row) throws -> TenantWait {
        let (queue, tenant, ready, oldest, cap, running) = try row.decode(
            String.self,
            String.self,
            Int.self,
            Double.self,
            Int.self,
            Int.self
        )
        return TenantWait(queue: queue, tenant: tenant, ready: ready, running: running, cap: cap, oldest: oldest)
    }
}

extension QueueDepth {
    /// Jobs that have not ended.
    fileprivate var open: Int { ready + delayed + running }
}
