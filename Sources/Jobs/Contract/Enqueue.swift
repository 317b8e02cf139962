private import FoundationEssentials
package import Queue

/// The only way to make a ledger row of a job: with its type.
extension NewJob {
    /// - Parameters:
    ///   - tenant: whose work it is; empty for the house itself.
    ///   - delay: how long it waits at least.
    ///   - uniqueKey: while a queued or running job has this key, this one is not added.
    ///   - uniqueness: any other rule; then `uniqueKey` is not used.
    ///   - concurrencyKey: of the tenant's jobs with this key only `policy.perKey` run at once.
    package init<J: Job>(
        _ job: J,
        tenant: String = "",
        delay: Duration = .zero,
        priority: Int? = nil,
        uniqueKey: String? = nil,
        uniqueness: Uniqueness? = nil,
        concurrencyKey: String? = nil
    ) throws {
        precondition(J.kind.job == J.self, "\(J.self) borrows the kind of \(J.kind.job)")
        let payload = try JSONEncoder().encode(job)
        self.init(
            kind: J.kind.rawValue,
            queue: J.policy.queue.rawValue,
            tenant: tenant,
            priority: priority ?? J.policy.priority,
            payload: String(decoding: payload, as: UTF8.self),
            delay: delay,
            maxAttempts: J.policy.retry.attempts,
            uniqueKey: uniqueKey,
            uniqueness: uniqueness,
            concurrency: concurrencyKey.map { ConcurrencyKey($0, limit: J.policy.perKey) }
        )
    }
}

extension JobQueue {
    /// Adds one job in a transaction of its own.
    ///
    /// - Returns: its id; nil when its unique key was taken.
    @discardableResult
    package func enqueue(_ job: some Job, tenant: String = "", uniqueKey: String? = nil) async throws -> Int? {
        try await enqueue([NewJob(job, tenant: tenant, uniqueKey: uniqueKey)]).first
    }
}

extension QueueTransaction {
    /// Adds one job to the transaction.
    @discardableResult
    package func enqueue(
        _ job: some Job,
        tenant: String = "",
        delay: Duration = .zero,
        uniqueKey: String? = nil
    ) async throws -> Int? {
        try await enqueue([NewJob(job, tenant: tenant, delay: delay, uniqueKey: uniqueKey)]).first
    }
}

extension Job {
    /// Called on `any Job.Type`, so that the worker never names a concrete kind.
    package static func decode(_ payload: String) throws -> Self {
        try JSONDecoder().decode(Self.self, from: Data(payload.utf8))
    }
}
