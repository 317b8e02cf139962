/// Where a kind of job waits and how patient we are with it.
package struct JobPolicy: Sendable, Equatable {
    package let queue: QueueName
    /// 0 (a user is waiting) to 9 (housekeeping).
    package let priority: Int
    /// How long one attempt may take before it is cancelled and counts as failed.
    package let timeout: Duration
    package let retry: RetryPolicy
    /// How many jobs of a tenant with the same concurrency key run at once; 0 is no cap.
    package let perKey: Int

    package init(
        queue: QueueName,
        priority: Int = 5,
        timeout: Duration = .seconds(60),
        retry: RetryPolicy,
        perKey: Int = 0
    ) {
        self.queue = queue
        self.priority = priority
        self.timeout = timeout
        self.retry = retry
        self.perKey = perKey
    }
}

/// The queues there are. A worker serves some of them (`--queues`). The strings are stored.
package enum QueueName: String, Sendable, CaseIterable {
    case crew, project, plan, fetch, export, index, webhook, stripe, email, maint

    package static let names = allCases.map(\.rawValue)

    /// Share of a worker's free slots while several queues have work (contract 5.1).
    package var weight: Int {
        switch self {
        case .fetch, .export: 8
        case .crew, .project, .plan: 6
        case .index, .webhook, .stripe, .email: 4
        case .maint: 1
        }
    }
}

/// How often a failed job is tried again, and how long it waits in between.
package struct RetryPolicy: Sendable, Equatable {
    /// Failures after which the job is dead, at least 1.
    package let attempts: Int
    package let base: Duration
    package let ceiling: Duration

    package init(attempts: Int, base: Duration, ceiling: Duration) {
        self.attempts = attempts
        self.base = base
        self.ceiling = ceiling
    }

    /// Full jitter over `min(ceiling, base · 2^(failures-1))`: many jobs that failed together come back apart.
    /// (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
    ///
    /// - Parameters:
    ///   - failures: this one included, at least 1.
    ///   - jitter: 0...1; a test pins it.
    /// - Returns: nil when the attempts are used up.
    package func delay(afterFailures failures: Int, of limit: Int, jitter: Double) -> Duration? {
        guard failures < limit else { return nil }
        let longest = min(base * (1 << min(max(failures - 1, 0), 30)), ceiling)
        return longest * jitter
    }
}
