package import Domain

/// Asks for a document once more, by the observer's notes (engine 3.8).
package enum RevisionPrompt {
    /// Longer documents, in bytes, are not written anew: an answer could not hold them.
    package static let longestDocument = 60_000

    /// The choice of a model: like that of the task's own work, after a low score, with room for the whole document.
    package static func question(
        _ task: PlannedTask,
        document: String,
        budgetLeft: NanoUSD,
        down: Set<String>
    ) -> RouteQuestion {
        let bytes = document.utf8.count
        return RouteQuestion(
            kind: .revise,
            rubric: task.rubric,
            tier: task.tier,
            override: task.model,
            promptTokens: bytes / 2,
            maxOutput: max(task.outputLimit, TokenBound.typical(bytes: bytes) * 3 / 2),
            budgetLeft: budgetLeft,
            scoredLow: true,
            down: down
        )
    }

    /// The request of a task's work, with the document and the notes behind it.
    ///
    /// - Parameters:
    ///   - document: the version that was judged.
    ///   - tenths: its score.
    ///   - notes: the observer's words. They are fenced too: a document may have talked the observer into repeating orders.
    package static func request(
        _ engagement: PromptEngagement,
        _ parts: PromptParts,
        document: String,
        tenths: Int,
        notes: String
    ) -> ModelRequest {
        var request = CrewPrompt.request(engagement, parts)
        let fence = Fence(mark: parts.nonce)
        let score = "\(tenths / 10).\(tenths % 10)"
        let addition = """


            # Your document as it stands
            \(fence.around(document, label: "your document"))

            # What the reviewer says (\(score) of 10)
            \(fence.around(notes.isEmpty ? "No words were given." : notes, label: "review"))

            Write the whole document anew, better where the reviewer found it weak, and keep what is good. Answer with the \
            document alone.
            """
        if let last = request.messages.indices.last { request.messages[last].text += addition }
        return request
    }
}
