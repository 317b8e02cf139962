/// A document that is made anew: which version was asked about, and what shall be different.
package struct TaskRerun: Sendable, Hashable, Codable {
    /// The id of the deliverable.
    package let document: String
    /// The caller's words; nil asks for another try.
    package let feedback: String?

    package init(document: String, feedback: String?) {
        self.document = document
        self.feedback = feedback
    }
}

extension PlannedTask {
    /// What the version before is called among the documents that a rerun builds on.
    package var previousTitle: String { "\(title), the version before" }

    /// The task as its agent is told it: for a rerun with what to do about the version before.
    ///
    /// What an earlier rerun was told is not repeated: the version before it has it.
    package var asTold: PlannedTask {
        guard let rerun else { return self }
        let wish = rerun.feedback.map { "The client has read it and asks: \($0)" } ?? "Write a better one."
        var told = self
        told.description = [
            description,
            "Write the document anew and completely. \"\(previousTitle)\" is among the documents your task builds on. \(wish)",
        ].filter { !$0.isEmpty }.joined(separator: "\n")
        return told
    }
}
