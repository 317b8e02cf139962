import Domain

/// A kind of engagement: the words that give it away, and the tasks it takes (engine 6.3).
struct Archetype: Sendable {
    let name: String
    /// Words and phrases with their points; a trailing `*` matches every word that begins so, a leading `=` only the
    /// word as it stands.
    let triggers: [(term: String, points: Int)]
    let research: [PlanTemplate]
    let core: [PlanTemplate]
    let main: PlanTemplate

    /// What was read out of a brief.
    struct Choice {
        let archetype: Archetype
        /// The triggers found, as the table spells them.
        let matched: [String]
        let wantsPricing: Bool
        let wantsRisks: Bool
    }

    /// The archetype with the most points wins with at least 3 of them and 1 more than the next, else `general`.
    static func choose(name: String, brief: String) -> Choice {
        let text = TriggerText(name + "\n" + brief)
        var best: (archetype: Archetype, points: Int, matched: [String]) = (general, 0, [])
        var second = 0
        for archetype in all {
            let hits = archetype.triggers.filter { text.contains($0.term) }
            let points = hits.reduce(0) { $0 + $1.points }
            if points > best.points {
                second = best.points
                best = (archetype, points, hits.map { $0.term.filter { $0 != "*" && $0 != "=" } })
            } else {
                second = max(second, points)
            }
        }
        let isClear = best.points >= 3 && best.points > second
        return Choice(
            archetype: isClear ? best.archetype : general,
            matched: isClear ? best.matched : [],
            wantsPricing: text.contains("price"),
            wantsRisks: ["compliance", "gdpr", "regul*"].contains(where: text.contains)
        )
    }
}

/// A brief, ready to be searched for triggers.
struct TriggerText {
    private let words: Set<String>
    private let spelled: Set<String>
    /// Every word with a space before and after it, in order: phrases are found as substrings.
    private let line: String

    init(_ text: String) {
        let pieces = Words.pieces(of: text)
        let stems = pieces.map(Words.stem)
        spelled = Set(pieces)
        words = Set(stems)
        line = " " + stems.joined(separator: " ") + " "
    }

    func contains(_ term: String) -> Bool {
        if term.hasPrefix("=") { return spelled.contains(String(term.dropFirst())) }
        if term.hasSuffix("*") { return line.contains(" " + term.dropLast()) }
        let stems = Words.all(of: term)
        if stems.count == 1, let stem = stems.first { return words.contains(stem) }
        return line.contains(" " + stems.joined(separator: " ") + " ")
    }
}
