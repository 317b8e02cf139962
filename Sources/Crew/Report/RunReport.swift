import Domain

/// The documents a run writes about itself (engine 3.11). The same record gives the same bytes.
package enum RunReport {
    /// A document of the run: a name that begins with `_`, and its text.
    package struct Document: Sendable, Hashable {
        package let filename: String
        package let content: String
    }

    /// Run report, operations review and library entry, in this order.
    package static func documents(of record: RunRecord) -> [Document] {
        [
            Document(filename: "_run_report_\(record.run).json", content: json(of: record)),
            Document(filename: "_operations_review_\(record.run).md", content: OperationsReview.text(of: record)),
            Document(filename: "_library_entry_\(record.run).md", content: LibraryEntry.text(of: record)),
        ]
    }

    /// Everything, for programs: keys sorted, money in dollars.
    private static func json(of record: RunRecord) -> String {
        let report: JSON = .object([
            "runId": .string(record.run),
            "engagement": .string(record.engagement),
            "client": .string(record.client),
            "status": .string(record.status.rawValue),
            "error": record.error.map(JSON.string) ?? .null,
            "startedAt": .string(record.startedAt.milliseconds),
            "finishedAt": record.finishedAt.map { .string($0.milliseconds) } ?? .null,
            "plan": .string(record.plan),
            "totals": totals(of: record),
            "tasks": .array(record.tasks.map { task($0, of: record) }),
            "calls": .array(record.calls.map(call)),
        ])
        return report.text + "\n"
    }

    private static func totals(of record: RunRecord) -> JSON {
        .object([
            "budgetUsd": .number(record.budget.dollars),
            "costUsd": .number(record.spent.dollars),
            "calls": .integer(record.calls.count),
            "failedCalls": .integer(record.count(.failed)),
            "abortedCalls": .integer(record.count(.aborted)),
            "callsOfUnknownOutcome": .integer(record.count(.unknown)),
            "tokens": tokens(record.usage),
        ])
    }

    private static func tokens(_ usage: ModelUsage) -> JSON {
        .object([
            "uncachedInput": .integer(usage.uncachedInput),
            "cacheRead": .integer(usage.cacheRead),
            "cacheWrite": .integer(usage.cacheWrite),
            "output": .integer(usage.output),
            "reasoning": .integer(usage.reasoning),
        ])
    }

    private static func task(_ task: RunRecord.Task, of record: RunRecord) -> JSON {
        let calls = record.calls(of: task.id)
        let agent = AgentRoster.agent(task.agent)
        return .object([
            "taskId": .string(task.id),
            "title": .string(task.title),
            "agentSlug": .string(task.agent),
            "agentRole": .string(agent?.role ?? task.agent),
            "department": .string(agent?.department ?? ""),
            "status": .string(task.status.rawValue),
            "dependsOn": .array(task.dependsOn.map(JSON.string)),
            "filename": task.askedBy == nil ? .string(task.filename) : .null,
            "askedBy": task.askedBy.map(JSON.string) ?? .null,
            "question": task.question.map(JSON.string) ?? .null,
            "version": task.version.map(JSON.integer) ?? .null,
            "words": .integer(task.words),
            "score": task.score.map(JSON.number) ?? .null,
            "error": task.error.map(JSON.string) ?? .null,
            "citations": task.citations?.json ?? .null,
            "calls": .integer(calls.count),
            "selectedModel": calls.last { $0.outcome == .settled }.map { .string($0.model) } ?? .null,
            "costUsd": .number(record.cost(of: task.id).dollars),
        ])
    }

    private static func call(_ call: RunRecord.Call) -> JSON {
        .object([
            "taskId": .string(call.task),
            "step": .integer(call.step),
            "attempt": .integer(call.attempt),
            "agentSlug": .string(call.agent),
            "provider": .string(call.provider),
            "model": .string(call.model),
            "reason": .string(call.reason.rawValue),
            "tokens": tokens(call.usage),
            "estimated": .bool(call.isEstimated),
            "costUsd": .number(call.cost.dollars),
            "outcome": .string(call.outcome.rawValue),
            "milliseconds": .integer(call.milliseconds),
        ])
    }
}
