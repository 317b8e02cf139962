import Domain

/// What the engagement produced, for whoever looks for like work later: no figures of cost, no trouble.
enum LibraryEntry {
    static func text(of record: RunRecord) -> String {
        let written = record.tasks.filter { $0.version != nil }
        var text = "# \(record.engagement)\n\n"
        text +=
            "Client: \(record.client)\nRun: `\(record.run)`, \(record.status.rawValue), \(record.startedAt.seconds)\n\n"
        text += "## Documents\n\n"
        if written.isEmpty { return text + "None was written.\n" }
        let rows = written.map { task in
            [
                task.title, task.filename, "\(task.version ?? 1)", AgentRoster.agent(task.agent)?.role ?? task.agent,
                "\(task.words)", task.score.map { "\($0)" } ?? "–",
            ]
        }
        text += MarkdownTable.text(["Title", "File", "Version", "Author", "Words", "Score"], rows)
        text += "\n\n## How they build on each other\n\n"
        text += record.plannedTasks.map { line($0, record) }.joined(separator: "\n") + "\n\n"
        return text + "Written with: \(models(of: record)).\n"
    }

    private static func line(_ task: RunRecord.Task, _ record: RunRecord) -> String {
        let questions = record.tasks.filter { $0.askedBy != nil }.map(\.id)
        let documents = task.dependsOn.filter { !questions.contains($0) }
        let base = documents.isEmpty ? "the brief" : documents.joined(separator: ", ")
        return "- \(task.id) builds on \(base)"
    }

    private static func models(of record: RunRecord) -> String {
        let models = Set(record.calls.filter { $0.outcome == .settled }.map(\.model)).sorted()
        return models.isEmpty ? "no model" : models.joined(separator: ", ")
    }
}
