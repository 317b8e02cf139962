package import PostgresClient

/// How much may run at once and start per second: of a whole queue, or of one tenant in it.
package struct QueueLimit: Sendable, Hashable {
    package var queue: String
    /// Nil for the queue as a whole.
    package var tenant: String?
    /// Jobs at once; 0 is no cap.
    package var concurrency: Int
    /// Share of worker time against other tenants.
    package var weight: Double
    /// Starts per second; 0 is no rate.
    package var rate: Double
    /// Starts at once after a pause, before the rate smooths them.
    package var burst: Int
    /// Jobs that may wait before callers are asked to come back later; 0 is no cap, nil is the installation's.
    package var waiting: Int?

    package init(
        queue: String,
        tenant: String? = nil,
        concurrency: Int = 0,
        weight: Double = 1,
        rate: Double = 0,
        burst: Int = 1,
        waiting: Int? = nil
    ) {
        self.queue = queue
        self.tenant = tenant
        self.concurrency = concurrency
        self.weight = weight
        self.rate = rate
        self.burst = burst
        self.waiting = waiting
    }

    /// Milliseconds between two starts, as the scripts count them.
    var interval: String { rate > 0 ? String(1000 / rate) : "0" }
}

/// Caps, weights and rates. Redis is told of them; the ledger keeps them.
extension Ledger {
    /// All limits in force: of queues, of tenants by their plan, and of tenants by name, which win.
    package func limits() async throws(PostgresError) -> [QueueLimit] {
        try await postgres.query(
            """
            SELECT queue, NULL::text, concurrency, 1::float8, rate::float8, burst, waiting FROM queue_caps
            UNION ALL SELECT queue, tenant, concurrency, weight::float8, rate::float8, burst, waiting FROM tenant_limits
            """
        ).map { row throws(PostgresError) in
            let (queue, tenant, concurrency, weight, rate, burst, waiting) = try row.decode(
                String.self,
                String?.self,
                Int.self,
                Double.self,
                Double.self,
                Int.self,
                Int?.self
            )
            return QueueLimit(
                queue: queue,
                tenant: tenant,
                concurrency: concurrency,
                weight: weight,
                rate: rate,
                burst: burst,
                waiting: waiting
            )
        }
    }

    /// Sets a limit; what it does not say is unlimited.
    package static func set(_ limit: QueueLimit) -> SQL {
        guard let tenant = limit.tenant else {
            return """
                INSERT INTO queue_caps (queue, concurrency, rate, burst, waiting)
                VALUES (\(limit.queue), \(limit.concurrency), \(limit.rate)::float8::numeric, \(limit.burst),
                        \(limit.waiting)::int)
                ON CONFLICT (queue) DO UPDATE SET concurrency = excluded.concurrency, rate = excluded.rate,
                  burst = excluded.burst, waiting = excluded.waiting
                """
        }
        return """
            INSERT INTO queue_limits (queue, tenant, concurrency, weight, rate, burst, waiting)
            VALUES (\(limit.queue), \(tenant), \(limit.concurrency), \(limit.weight)::float8::numeric,
                    \(limit.rate)::float8::numeric, \(limit.burst), \(limit.waiting)::int)
            ON CONFLICT (queue, tenant) DO UPDATE SET concurrency = excluded.concurrency, weight = excluded.weight,
              rate = excluded.rate, burst = excluded.burst, waiting = excluded.waiting
            """
    }

    /// Takes a limit back: of a tenant, whose plan's limit then holds, or of the queue.
    package static func removeLimit(queue: String, tenant: String?) -> SQL {
        guard let tenant else { return "DELETE FROM queue_caps WHERE queue = \(queue)" }
        return "DELETE FROM queue_limits WHERE queue = \(queue) AND tenant = \(tenant)"
    }
}
