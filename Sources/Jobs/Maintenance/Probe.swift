private import Domain
private import Glibc
private import PostgresClient
private import Queue

/// A job that misbehaves on order, for the tests that kill things. Refused unless `GC_TEST_HOOKS=1`.
///
/// Its effect is a row in `probe_effects`, a table that the test makes, without any unique constraint: a double commit must
/// be seen, not prevented.
package struct Probe: Job {
    package static let kind = JobKind.probe
    package static let policy = JobPolicy(
        queue: .maint,
        priority: 5,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 5, base: .milliseconds(50), ceiling: .seconds(1))
    )

    /// Names the effect.
    let key: String
    /// How long the work takes, in milliseconds.
    let milliseconds: Int
    /// The first so many attempts throw.
    let failures: Int?
    /// The worker process dies of it.
    let poison: Bool?
    /// It does not listen to its cancellation: a worker that lost its lease cannot stop it, only the fence can.
    let stubborn: Bool?
    /// Reports half of its progress, and ends with this answer instead of its effect.
    let answer: String?

    package init(
        key: String,
        milliseconds: Int,
        failures: Int? = nil,
        poison: Bool? = nil,
        stubborn: Bool? = nil,
        answer: String? = nil
    ) {
        self.key = key
        self.milliseconds = milliseconds
        self.failures = failures
        self.poison = poison
        self.stubborn = stubborn
        self.answer = answer
    }

    private struct Failed: Error {}

    package func run(_ context: JobContext) async throws -> Outcome {
        guard context.services.hooks.enabled else { return .refuse("test.probe runs with GC_TEST_HOOKS=1 only") }
        if poison == true { kill(getpid(), SIGKILL) }
        // A task of its own, so that no cancellation reaches it.
        return try await stubborn == true ? Task { try await work(context) }.value : work(context)
    }

    private func work(_ context: JobContext) async throws -> Outcome {
        if context.services.hooks.mutant == .ackBeforeCommit { try await context.settle { _ in } }
        if answer != nil { for _ in 0..<1000 { try await context.report(progress: 0.5, "half") } }
        if milliseconds > 0 { try await Task.sleep(for: .milliseconds(milliseconds)) }
        if context.job.failures < failures ?? 0 { throw Failed() }
        if let answer { return .answer(.string(answer)) }
        let effect: SQL = """
            INSERT INTO probe_effects (key, job, attempt) VALUES (\(key), \(context.job.id), \(context.job.attempt))
            """
        switch context.services.hooks.mutant {
        case .ackBeforeCommit:
            _ = try await context.queue.postgres.query(effect)
            return .settled
        case .effectBeforeFence:
            _ = try await context.queue.postgres.query(effect)
            try await context.settle { _ in }
            return .settled
        default: break
        }
        try await context.settle { transaction in _ = try await transaction.sql.query(effect) }
        return .settled
    }
}
