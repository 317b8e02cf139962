import Domain

/// Scores a document from its checks alone: for crews without a language model, and for those who want no second call.
package enum HeuristicJudge {
    /// What scores of this judge are booked under.
    package static let name = "heuristic"

    /// Coverage counts 40, length and structure 20 each, figures and citations 15, repetition 5; a hard fault caps all.
    package static func score(_ document: String, task: PlannedTask, brief: String) -> QualityScore {
        let checks = DocumentChecks(of: document, task: task, brief: brief)
        let coverage = checks.terms == 0 ? 100 : 100 * checks.covered / checks.terms
        let length = min(100, 100 * checks.words / enough(task.tier))
        let structure = min(100, 25 * checks.sections)
        let grounds = min(100, 2 * checks.grounded)
        let sum = 40 * coverage + 20 * length + 20 * structure + 15 * grounds + 5 * (100 - checks.repeated)
        let tenths = checks.hardFaults.isEmpty ? sum / 100 : min(sum / 100, QualityScore.cap)
        return QualityScore(tenths: tenths, rubric: task.rubric, feedback: words(checks))
    }

    /// The words that a document of the tier needs to say what it should.
    private static func enough(_ tier: CrewAgent.Tier) -> Int {
        switch tier {
        case .small, .observer: 300
        case .mid: 450
        case .large: 600
        }
    }

    private static func words(_ checks: DocumentChecks) -> String {
        var text = "Heuristic score, no language model: \(checks.words) words in \(checks.sections) sections; "
        text += "\(checks.covered) of \(checks.terms) terms of task and brief are covered"
        if !checks.missing.isEmpty { text += " (not: \(checks.missing.joined(separator: ", ")))" }
        text += "; \(checks.grounded) % of the sentences hold a figure or a citation."
        if !checks.hardFaults.isEmpty { text += " Capped at 5.0: \(checks.hardFaults.joined(separator: "; "))." }
        return text
    }
}
