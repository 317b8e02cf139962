private import Crew
package import Domain
private import FoundationEssentials
private import PostgresClient
private import Stores

/// The last job of a run: decides how it ended and writes its reports.
package struct FinishCrew: Job {
    package static let kind = JobKind.finishCrew
    package static let policy = JobPolicy(
        queue: .crew,
        priority: 4,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 10, base: .seconds(1), ceiling: .seconds(60))
    )

    let run: Run.ID

    package init(run: Run.ID) {
        self.run = run
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let input = try await context.services.stores.runs.reportInput(run), input.status == .running else {
            return .cancel("the run has ended")
        }
        let error = Self.error(of: input)
        let status: Run.Status = error == nil ? .completed : .failed
        let event: WebhookLedger.RunEventType = error == nil ? .completed : .failed
        let record = try record(input, status, error)
        let documents = RunReport.documents(of: record)
        try await context.settle(
            writing: [RunLedger.lockEngagement(of: run)]
                + RunLedger.finishRun(run, as: status, error: error)
                + documents.map { document in
                    RunLedger.addDeliverable(
                        filename: document.filename,
                        content: document.content,
                        words: document.content.split(whereSeparator: \.isWhitespace).count,
                        task: "_report",
                        of: run
                    )
                }
                + [RunLedger.append(Self.closing(record), to: run)] + AnnounceRun.facts(event, of: run),
            enqueuing: AnnounceRun.jobs(event, of: run)
        )
        context.tell(of: run)
        return .settled
    }

    /// Nil where every task that was required is completed.
    private static func error(of input: ReportInput) -> String? {
        if let error = input.error { return error }
        guard
            let failed = input.tasks.first(where: { !$0.optional && $0.status != .completed && $0.error != nil })
                ?? input.tasks.first(where: { !$0.optional && $0.status != .completed })
        else { return nil }
        return "Task \(failed.id) failed" + (failed.error.map { ": \($0)" } ?? "")
    }

    private static func closing(_ record: RunRecord) -> [RunEvent] {
        let tasks = record.plannedTasks
        let done = tasks.count { $0.status == .completed }
        let line = record.error.map { "Run failed: \($0)" } ?? "Run completed: \(done) of \(tasks.count) tasks"
        return [.log(agent: "engagement_manager", line), .status(record.error == nil ? .completed : .failed)]
    }

    private func record(_ input: ReportInput, _ status: Run.Status, _ error: String?) throws -> RunRecord {
        RunRecord(
            run: run.rawValue,
            engagement: input.name,
            client: input.client,
            status: status,
            error: error,
            startedAt: input.startedAt,
            finishedAt: input.now,
            budget: input.budget,
            plan: input.plan,
            tasks: try input.tasks.map(Self.task),
            calls: input.calls.map(Self.call)
        )
    }

    private static func task(_ task: ReportInput.Task) throws -> RunRecord.Task {
        let planned = try JSONDecoder().decode(PlannedTask.self, from: Data(task.config.utf8))
        return RunRecord.Task(
            id: task.id,
            title: planned.title,
            agent: task.agent,
            status: task.status,
            dependsOn: task.dependsOn,
            filename: planned.filename,
            version: task.version,
            words: task.words,
            score: task.score.map { Double($0) / 10 },
            citations: task.citations.flatMap(CitationCheck.init(json:)),
            error: task.error,
            askedBy: planned.askedBy,
            question: planned.askedBy == nil ? nil : planned.description
        )
    }

    private static func call(_ call: ReportInput.Call) -> RunRecord.Call {
        RunRecord.Call(
            task: call.task,
            step: 1,
            attempt: call.attempt,
            agent: call.agent,
            provider: "",
            model: call.model,
            reason: ModelRoute.Reason(rawValue: call.reason) ?? .default,
            usage: ModelUsage(uncachedInput: call.inputTokens, output: call.outputTokens),
            isEstimated: call.isEstimated,
            cost: call.cost,
            outcome: RunRecord.Call.Outcome(rawValue: call.state) ?? .failed,
            milliseconds: call.milliseconds
        )
    }
}
