package import Domain
private import FoundationEssentials
private import PostgresClient
private import Queue
private import Stores

/// Lets a model judge one document (engine 3.8, contract J-2). Without a judge's score the run goes on all the same.
package struct ObserveTask: Job {
    package static let kind = JobKind.observeTask
    package static let policy = JobPolicy(
        queue: .crew,
        priority: 6,
        timeout: .seconds(240),
        retry: RetryPolicy(attempts: 4, base: .seconds(5), ceiling: .seconds(120))
    )

    let run: Run.ID
    let task: String

    package init(run: Run.ID, task: String) {
        self.run = run
        self.task = task
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        if context.job.attempt > 1 {
            _ = try await context.queue.postgres.query(RunLedger.chargeLostCalls(run: run, task: task))
        }
        guard let input = try await context.services.stores.quality.observation(run, task: task) else {
            return .cancel("no judgement of this document is awaited")
        }
        // A run that is paused begins its judgements anew when it is resumed.
        guard input.runStatus == .running else { return .cancel("the run is \(input.runStatus.rawValue)") }
        defer { context.tell(of: run) }
        return try await ObservationInProgress(run: run, task: task, context: context, input: input).go()
    }
}
