/// Does nothing, all the way through the fleet: how an operator, or the bench, sees that a queue moves.
package struct Canary: Job {
    package static let kind = JobKind.canary
    package static let policy = JobPolicy(
        queue: .maint,
        priority: 5,
        timeout: .seconds(10),
        retry: RetryPolicy(attempts: 3, base: .seconds(1), ceiling: .seconds(10))
    )

    package init() {}

    package func run(_ context: JobContext) async throws -> Outcome { .done }
}
