private import Crew
package import Domain
private import FoundationEssentials
private import PostgresClient
private import Queue
private import Stores

/// One step of a task: at most one answer of a model, in two trips to Postgres. The first reserves the money before the
/// call; the second books cost, document, events and what the task opens, together with the end of this very job.
package struct CrewStep: Job {
    package static let kind = JobKind.crewStep
    package static let policy = JobPolicy(
        queue: .crew,
        priority: 5,
        timeout: .seconds(240),
        retry: RetryPolicy(attempts: 8, base: .seconds(1), ceiling: .seconds(60))
    )

    let run: Run.ID
    let task: String

    package init(run: Run.ID, task: String) {
        self.run = run
        self.task = task
    }

    package static func uniqueKey(_ run: Run.ID, _ task: String) -> String { "step:\(run):\(task)" }

    package func run(_ context: JobContext) async throws -> Outcome {
        if context.job.attempt > 1 {
            _ = try await context.queue.postgres.query(RunLedger.chargeLostCalls(run: run, task: task))
        }
        var variation = StepVariation()
        // The predecessor's trip brought it along; it is read anew for every further try.
        let parcel = StepParcel.of(context)
        var brought = parcel?.input
        if let parcel, let booked = parcel.booked {
            let step = StepInProgress(run: run, task: task, context: context, input: parcel.input, files: .none)
            switch try await step.go(on: booked) {
            case .ended(let outcome): return ended(outcome, context)
            case .again(let next): (variation, brought) = (next, nil)
            }
        }
        while true {
            let known = brought
            brought = nil
            guard var input = try await stepInput(known, context) else {
                return .cancel("the run was deleted")
            }
            guard input.runStatus == .running else { return .cancel("the run is \(input.runStatus.rawValue)") }
            guard input.taskStatus == .ready || input.taskStatus == .running else {
                return .cancel("the task is \(input.taskStatus.rawValue)")
            }
            var planned = try JSONDecoder().decode(PlannedTask.self, from: Data(input.config.utf8))
            if let rerun = planned.rerun {
                (planned, input) = try await Self.rerun(rerun, planned, input, context.services.stores.runs)
            }
            let files = try await StepContext.of(planned, input, context.services.stores.context)
            let step = StepInProgress(run: run, task: task, context: context, input: input, files: files)
            switch try await step.go(variation) {
            case .ended(let outcome): return ended(outcome, context)
            case .again(let next): variation = next
            }
        }
    }
}

extension CrewStep {
    private func ended(_ outcome: Outcome, _ context: JobContext) -> Outcome {
        context.tell(of: run)
        return outcome
    }

    private func stepInput(_ known: StepInput?, _ context: JobContext) async throws -> StepInput? {
        if let known { return known }
        return try await context.services.stores.runs.stepInput(run, task: task)
    }
}

/// What a step tries differently the next time, within the same job.
struct StepVariation: Sendable {
    /// How often the prompt has been halved.
    var shrink = 0
    /// Providers that are left out.
    var down: Set<String> = []
    /// How often the reservation lost a race for the budget.
    var races = 0
}
