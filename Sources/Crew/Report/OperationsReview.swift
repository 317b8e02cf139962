import Domain

/// How the run went, for the people who run the crew: money, models, agents, trouble.
enum OperationsReview {
    static func text(of record: RunRecord) -> String {
        var parts = ["# Operations review: \(record.engagement)", summary(of: record)]
        if !record.plan.isEmpty { parts.append("## Plan\n\n\(record.plan)") }
        parts.append("## Tasks\n\n" + tasks(of: record))
        if let questions = questions(of: record) { parts.append("## Questions to colleagues\n\n" + questions) }
        if !record.calls.isEmpty {
            parts.append("## Models\n\n" + models(of: record))
            parts.append("## Agents\n\n" + agents(of: record))
        }
        parts.append("## Trouble\n\n" + trouble(of: record))
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func summary(of record: RunRecord) -> String {
        var lines = [
            "Run `\(record.run)` for \(record.client): **\(record.status.rawValue)**"
                + (record.error.map { ", \($0)" } ?? "") + ".",
            "Started \(record.startedAt.seconds)"
                + (record.seconds.map { ", took \($0) s" } ?? "") + ".",
            "Spent $\(record.spent.exact) of $\(record.budget.exact) in \(record.calls.count) calls.",
        ]
        let unknown = record.count(.unknown)
        if unknown > 0 {
            lines.append(
                "\(unknown) \(unknown == 1 ? "call" : "calls") of unknown outcome, charged at the reservation."
            )
        }
        return lines.joined(separator: "\n")
    }

    private static func tasks(of record: RunRecord) -> String {
        let rows = record.tasks.map { task in
            [
                task.id, task.agent, task.status.rawValue, "\(record.calls(of: task.id).count)",
                "$" + record.cost(of: task.id).exact, task.score.map { "\($0)" } ?? "–",
                task.version.map { "\(task.filename) v\($0)" } ?? "–",
            ]
        }
        return MarkdownTable.text(["Task", "Agent", "Status", "Calls", "Cost", "Score", "Document"], rows)
    }

    /// Nil where no task asked anybody.
    private static func questions(of record: RunRecord) -> String? {
        let rows = record.tasks.compactMap { task in
            task.askedBy.map { [$0, task.agent, task.question ?? "", task.status.rawValue] }
        }
        return rows.isEmpty ? nil : MarkdownTable.text(["Task", "Asked", "Question", "Status"], rows)
    }

    private static func models(of record: RunRecord) -> String {
        let rows = groups(record.calls) { "\($0.model)\u{0}\($0.reason.rawValue)" }.map { calls -> [String] in
            let usage = calls.reduce(ModelUsage.zero) { $0 + $1.usage }
            return [
                calls[0].model, calls[0].reason.rawValue, "\(calls.count)", "\(usage.input)", "\(usage.output)",
                cost(calls),
            ]
        }
        return MarkdownTable.text(["Model", "Chosen for", "Calls", "Tokens in", "Tokens out", "Cost"], rows)
    }

    private static func agents(of record: RunRecord) -> String {
        let rows = groups(record.calls, by: \.agent).map { calls in
            [AgentRoster.agent(calls[0].agent)?.role ?? calls[0].agent, "\(calls.count)", cost(calls)]
        }
        return MarkdownTable.text(["Agent", "Calls", "Cost"], rows)
    }

    private static func trouble(of record: RunRecord) -> String {
        var lines = record.tasks.compactMap { task in task.error.map { "- \(task.id): \(MarkdownTable.cell($0))" } }
        for task in record.tasks {
            guard let unknown = task.citations?.unknown, !unknown.isEmpty else { continue }
            let list = unknown.prefix(5).map { "[\($0)]" }.joined(separator: ", ")
            lines.append("- \(task.id) cites what it was not given: \(MarkdownTable.cell(list))")
        }
        let repeated = record.calls.count { $0.attempt > 1 }
        if repeated > 0 { lines.append("- \(repeated) of \(record.calls.count) calls were repeated attempts.") }
        let estimated = record.calls.count(where: \.isEstimated)
        if estimated > 0 { lines.append("- Tokens of \(estimated) calls were estimated: the provider told none.") }
        return lines.isEmpty ? "None." : lines.joined(separator: "\n")
    }

    private static func cost(_ calls: [RunRecord.Call]) -> String {
        "$" + calls.reduce(NanoUSD.zero) { $0 + $1.cost }.exact
    }

    /// Groups in the order of their keys; none is empty.
    private static func groups(
        _ calls: [RunRecord.Call],
        by key: (RunRecord.Call) -> String
    ) -> [[RunRecord.Call]] {
        Dictionary(grouping: calls, by: key).sorted { $0.key < $1.key }.map(\.value)
    }
}
