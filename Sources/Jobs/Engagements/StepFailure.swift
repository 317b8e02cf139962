import Crew
import Domain
import PostgresClient
import Stores

/// Books a task that will not be tried again, and what that means for the rest of the run.
struct StepFailure {
    private let step: StepInProgress
    private let planned: PlannedTask

    init(_ step: StepInProgress, _ planned: PlannedTask) {
        self.step = step
        self.planned = planned
    }

    private var run: Run.ID { step.run }

    /// No next call fits the budget (design O-4): nothing new begins, finished documents stay. Where it is a colleague's
    /// answer that does not fit, the document may still.
    func budget() async throws {
        let input = step.input
        let error = "Budget exceeded ($\(input.spent.cents) of $\(input.budget.cents))"
        if planned.askedBy == nil { try await fail(run: error) } else { try await fail(task: error) }
    }

    func fail(run error: String) async throws {
        try await settle(error, RunLedger.skipRest(of: run, error: error))
    }

    /// A required task takes its descendants along; an optional one only cuts its own edges.
    ///
    /// - Parameter call: one that ended with an answer of no use, to be booked in the same transaction.
    func fail(task error: String, booking call: RunLedger.CallEnd? = nil) async throws {
        let rest =
            step.input.optional
            ? RunLedger.openDependants(of: step.task, run) : RunLedger.skipDescendants(of: step.task, run)
        try await settle(error, (call.map { [RunLedger.end($0, of: run)] } ?? []) + [rest])
    }

    private func settle(_ error: String, _ rest: [SQL]) async throws {
        let line = RunEvent.log(agent: planned.agentSlug, "Task failed: \(step.task): \(error)")
        let session = step.context.handOver.session
        try await step.context.settle(
            writing: [RunLedger.lockRun(run), RunLedger.failTask(step.task, of: run, error: error)] + rest
                + [RunLedger.append([line], to: run)],
            enqueuing: [
                CrewFollowUps.next(of: run, after: step.task, handOverTo: session)
            ]
        )
    }
}
