package import PostgresClient

/// What a plan brings for each tenant that has it, where no limit is set for the tenant by name.
package struct PlanLimit: Sendable, Hashable {
    package let plan: String
    package let queue: String
    /// Jobs at once; 0 is no cap.
    package let concurrency: Int
    /// Share of worker time against other tenants.
    package let weight: Double
    /// Jobs that may wait; 0 is no cap, nil is the installation's.
    package let waiting: Int?

    package init(plan: String, queue: String, concurrency: Int, weight: Double = 1, waiting: Int? = nil) {
        self.plan = plan
        self.queue = queue
        self.concurrency = concurrency
        self.weight = weight
        self.waiting = waiting
    }
}

extension Ledger {
    /// What each plan brings, by plan and queue.
    package func planLimits() async throws(PostgresError) -> [PlanLimit] {
        try await postgres.query(
            "SELECT plan, queue, concurrency, weight::float8, waiting FROM plan_limits ORDER BY plan, queue"
        ).map { row throws(PostgresError) in
            let (plan, queue, concurrency, weight, waiting) = try row.decode(
                String.self,
                String.self,
                Int.self,
                Double.self,
                Int?.self
            )
            return PlanLimit(plan: plan, queue: queue, concurrency: concurrency, weight: weight, waiting: waiting)
        }
    }

    /// Sets what a plan brings in one queue.
    package static func set(_ limit: PlanLimit) -> SQL {
        """
        INSERT INTO plan_limits (plan, queue, concurrency, weight, waiting)
        VALUES (\(limit.plan), \(limit.queue), \(limit.concurrency), \(limit.weight)::float8::numeric,
                \(limit.waiting)::int)
        ON CONFLICT (plan, queue) DO UPDATE
        SET concurrency = excluded.concurrency, weight = excluded.weight, waiting = excluded.waiting
        """
    }

    /// Takes back what a plan brings in one queue.
    package static func removePlanLimit(_ plan: String, queue: String) -> SQL {
        "DELETE FROM plan_limits WHERE plan = \(plan) AND queue = \(queue)"
    }
}
