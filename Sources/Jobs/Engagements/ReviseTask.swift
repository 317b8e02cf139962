private import Crew
package import Domain
private import FoundationEssentials
private import PostgresClient
private import Queue
private import Stores

/// Writes one document once more, by the observer's notes (engine 3.8). Without a new version the run goes on all the same.
package struct ReviseTask: Job {
    package static let kind = JobKind.reviseTask
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
        let stores = context.services.stores
        guard let wanted = try await stores.quality.revision(run, task: task),
            var input = try await stores.runs.stepInput(run, task: task)
        else { return .cancel("no revision of this document is awaited") }
        // A run that is paused begins its revisions anew when it is resumed.
        guard input.runStatus == .running else { return .cancel("the run is \(input.runStatus.rawValue)") }
        let planned = try JSONDecoder().decode(PlannedTask.self, from: Data(input.config.utf8))
        if let rerun = planned.rerun {
            // The client's wish and the documents it builds on belong to this version too.
            (_, input) = try await CrewStep.rerun(rerun, planned, input, stores.runs)
        }
        defer { context.tell(of: run) }
        return try await RevisionInProgress(run: run, task: task, context: context, input: input, wanted: wanted).go()
    }
}
