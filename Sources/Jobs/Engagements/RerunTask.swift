import Crew
import Domain
import FoundationEssentials
import PostgresClient
import Stores

/// The two places where a run of one task differs from a whole one (contract S-33).
extension StartCrew {
    /// Writes the one task, as it was planned for the run that wrote the document.
    func rerun(_ document: Deliverable.ID, _ input: PlanInput, _ context: JobContext) async throws -> Outcome {
        guard let source = try await context.services.stores.runs.rerunSource(run) else {
            return .cancel("the document was deleted")
        }
        var planned = try JSONDecoder().decode(PlannedTask.self, from: Data(source.config.utf8))
        planned.optional = false
        planned.asked = nil
        planned.refused = nil
        planned.rerun = TaskRerun(document: document.rawValue, feedback: source.feedback)
        let task = RunLedger.TaskRow(
            id: planned.id,
            agent: planned.agentSlug,
            config: String(decoding: try JSONEncoder().encode(planned), as: UTF8.self),
            // What it builds on is there already.
            dependsOn: [],
            optional: false
        )
        let line = "Rerun of \(planned.filename) by \(planned.agentSlug)"
        try await context.settle(
            writing: [
                RunLedger.keepEngagement(of: run),
                RunLedger.lockRun(run),
                RunLedger.addTasks([task], to: run),
                "UPDATE run_tasks SET position = \(source.position) WHERE run_id = \(run)",
                "UPDATE runs SET archetype = \(line) WHERE id = \(run)",
            ] + ContextLedger.hold(for: run) + [
                RunLedger.append(
                    Self.opening(line, input, isOffline: context.services.models.routing.isOffline),
                    to: run
                )
            ],
            enqueuing: [CrewFollowUps.readySteps(of: run, handOverTo: context.handOver.session)]
        )
        context.tell(of: run)
        return .settled
    }
}

extension CrewStep {
    /// The task as its agent is told it, with the newest documents that it builds on and the version before.
    static func rerun(
        _ rerun: TaskRerun,
        _ planned: PlannedTask,
        _ input: StepInput,
        _ runs: RunStore
    ) async throws -> (PlannedTask, StepInput) {
        let sources = try await runs.rerunDocuments(
            of: ID(rerun.document),
            in: input.engagement,
            buildingOn: planned.dependsOn
        )
        var before = planned
        before.title = planned.previousTitle
        let told = planned.asTold
        var input = input
        input.dependencies = sources.dependencies
        if let previous = sources.previous {
            input.dependencies.append((id: planned.id, config: try encoded(before), output: previous))
        }
        input.config = try encoded(told)
        return (told, input)
    }

    private static func encoded(_ task: PlannedTask) throws -> String {
        String(decoding: try JSONEncoder().encode(task), as: UTF8.self)
    }
}
