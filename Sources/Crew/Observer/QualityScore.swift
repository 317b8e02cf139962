package import Domain

/// What the observer thinks of one document.
package struct QualityScore: Sendable, Hashable {
    /// 0 to 100: 85 is 8.5 of 10.
    package let tenths: Int
    package let rubric: Rubric
    /// Words for people, at most 600 characters.
    package let feedback: String

    /// - Parameter tenths: clamped to 0…100.
    package init(tenths: Int, rubric: Rubric, feedback: String) {
        self.tenths = min(100, max(0, tenths))
        self.rubric = rubric
        self.feedback = String(feedback.prefix(600))
    }

    /// A document with a hard fault gets no more than this (engine 3.8).
    static let cap = 50
}
