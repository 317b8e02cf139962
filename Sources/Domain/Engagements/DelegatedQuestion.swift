/// What one member of the crew asks another (engine 3.9).
package struct DelegatedQuestion: Sendable, Hashable, Codable {
    /// Who is asked: a slug of the roster.
    package let to: String
    /// 1 to 1,000 characters where a model has asked it.
    package let question: String

    package init(to: String, question: String) {
        self.to = to
        self.question = question
    }
}
