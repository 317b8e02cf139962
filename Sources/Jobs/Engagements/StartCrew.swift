package import Domain

package struct StartCrew: Job {
    package static let kind = JobKind.startCrew
    package static let policy = JobPolicy(queue: .crew, priority: 4, timeout: .seconds(60), retry: RetryPolicy(attempts: 5, base: .seconds(1), ceiling: .seconds(30)))
    let run: Run.ID
    package init(run: Run.ID) { self.run = run }
    package static func key(_ run: Run.ID) -> String { "start:\(run)" }
    package func run(_ context: JobContext) async throws -> Outcome { .done }
}
