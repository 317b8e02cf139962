import Domain

/// The part of a prompt that belongs to one task: agent card, task, dependencies, chunks, in this order.
struct TaskPrompt {
    let text: String

    init(_ engagement: PromptEngagement, _ parts: PromptParts, _ budget: PromptBudget) {
        let task = parts.task
        let query = Words.content(of: task.title + "\n" + task.description)
        let fence = Fence(mark: parts.nonce)
        let dependencies = Self.dependencies(parts.dependencies, fence, query, room: budget.dependencies)
        let brief = min(engagement.brief.utf8.count, budget.brief)
        let rest = budget.total - brief - dependencies.reduce(0) { $0 + $1.utf8.count }
        let chunks = Self.chunks(parts.chunks, fence, room: rest)
        var text = AgentCard.text(for: task.agentSlug) + "\n\n"
        text += task.askedBy == nil ? Self.task(task) : DelegationPrompt.question(task, fence)
        if let note = DelegationPrompt.note(parts.delegation) { text += "\n\n" + note }
        if !dependencies.isEmpty {
            text += "\n\n# Documents your task builds on\n" + dependencies.joined(separator: "\n")
        }
        if !chunks.isEmpty { text += "\n\n# From the attachments\n" + chunks.joined(separator: "\n") }
        self.text = text
    }

    private static func task(_ task: PlannedTask) -> String {
        var lines = ["# Your task", "Document: \(task.title)"]
        if !task.description.isEmpty { lines.append("What to do: \(task.description)") }
        if let expected = task.expectedOutput { lines.append("Expected: \(expected)") }
        let criteria = task.rubric.criteria.map { "\($0.name) \($0.weight) %" }.joined(separator: ", ")
        lines.append("It will be judged by: \(criteria).")
        lines.append("Begin with the line \"# \(task.title)\".")
        return lines.joined(separator: "\n")
    }

    /// Each digest gets the same share of the room, at most 1,200 tokens of English.
    private static func dependencies(
        _ dependencies: [PromptDependency],
        _ fence: Fence,
        _ query: [String],
        room: Int
    ) -> [String] {
        let share = min(PromptBudget.digest, room / max(1, dependencies.count))
        return dependencies.enumerated().map { index, dependency in
            let digest = Digest.of(dependency.output, limit: share, query: query)
            return fence.around(digest, label: "D\(index + 1) \(dependency.title)")
        }
    }

    /// Whole chunks, in the order given, as many as there is room for.
    private static func chunks(_ chunks: [ModelMaterial.Source], _ fence: Fence, room: Int) -> [String] {
        var left = room
        var kept: [String] = []
        for chunk in chunks {
            let page = chunk.page.map { " p.\($0)" } ?? ""
            let label = chunk.label.hasPrefix(chunk.name) ? "[\(chunk.label)]" : "\(chunk.label)\(page) \(chunk.name)"
            let text = fence.around(chunk.text, label: label)
            guard text.utf8.count <= left else { break }
            left -= text.utf8.count
            kept.append(text)
        }
        return kept
    }
}
