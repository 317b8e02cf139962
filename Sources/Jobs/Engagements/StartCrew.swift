import Crew
package import Domain
private import FoundationEssentials
private import PostgresClient
import Stores

/// Plans a run and opens its first steps.
package struct StartCrew: Job {
    package static let kind = JobKind.startCrew
    package static let policy = JobPolicy(
        queue: .crew,
        priority: 4,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 5, base: .seconds(1), ceiling: .seconds(30))
    )

    let run: Run.ID

    package init(run: Run.ID) {
        self.run = run
    }

    package static func uniqueKey(_ run: Run.ID) -> String { "start:\(run)" }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let input = try await context.services.stores.runs.planInput(run), input.status == .running else {
            return .cancel("the run has ended")
        }
        guard !input.hasTasks else { return .cancel("the run has been planned") }
        if let pause = Self.waiting(for: input) { return pause }
        if let document = input.rerunOf { return try await rerun(document, input, context) }
        let models = context.services.models
        let given = try CrewTask.parse(
            input.tasks,
            knownAgents: AgentRoster.assignable,
            allowSimulation: models.allowSimulation
        )
        let plan = CrewPlanner.plan(
            name: input.name,
            brief: input.brief,
            given: given,
            budget: input.budget,
            estimator: PlanEstimator(routing: models.routing)
        )
        let line = plan.log(budget: input.budget)
        try await context.settle(
            writing: [
                RunLedger.keepEngagement(of: run),
                RunLedger.lockRun(run),
                RunLedger.addTasks(try plan.tasks.map(Self.row), to: run),
                "UPDATE runs SET archetype = \(line) WHERE id = \(run)",
            ] + ContextLedger.hold(for: run) + [
                RunLedger.append(Self.opening(line, input, isOffline: models.routing.isOffline), to: run)
            ],
            enqueuing: [CrewFollowUps.readySteps(of: run, handOverTo: context.handOver.session)]
        )
        context.tell(of: run)
        return .settled
    }

    /// A file that was uploaded just before the start should be in the crew's hands; but not at any price.
    private static func waiting(for input: PlanInput) -> Outcome? {
        guard input.isIndexBehind, input.age < .seconds(30) else { return nil }
        return .snooze(.milliseconds(200), "waiting for the index of the files")
    }

    static func opening(_ plan: String, _ input: PlanInput, isOffline: Bool) -> [RunEvent] {
        let honest = RunEvent.log(
            agent: "engagement_manager",
            "No language model is configured: documents quote the brief (offline-extractive-1)."
        )
        let behind = RunEvent.log(
            agent: "engagement_manager",
            "The index of the files is not up to date; the crew works with the newest one there is."
        )
        return (isOffline ? [honest] : []) + (input.isIndexBehind ? [behind] : [])
            + [.log(agent: "chief_strategist", plan)]
    }

    static func row(_ task: PlannedTask) throws -> RunLedger.TaskRow {
        let config = String(decoding: try JSONEncoder().encode(task), as: UTF8.self)
        return RunLedger.TaskRow(
            id: task.id,
            agent: task.agentSlug,
            config: config,
            dependsOn: task.dependsOn,
            optional: task.optional
        )
    }
}
