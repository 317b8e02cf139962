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
        /// The words found, as the brief has them.
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
            var points = 0
            var matched: [String] = []
            for trigger in archetype.triggers {
                guard let word = text.match(trigger.term) else { continue }
                points += trigger.points
                if !matched.contains(word) { matched.append(word) }
            }
            if points > best.points {
                second = best.points
                best = (archetype, points, matched)
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
    /// Words as written, folded, with their stems.
    private let pieces: [String]
    private let stems: [String]
    /// Every stem with a space before and after it, in order: phrases are found as substrings.
    private let line: String

    init(_ text: String) {
        pieces = Words.pieces(of: text)
        stems = pieces.map(Words.stem)
        line = " " + stems.joined(separator: " ") + " "
    }

    func contains(_ term: String) -> Bool { match(term) != nil }

    /// The first word of the brief that a trigger means; for a phrase the phrase itself. nil where there is none.
    func match(_ term: String) -> String? {
        if term.hasPrefix("=") { return pieces.first { $0 == term.dropFirst() } }
        if term.hasSuffix("*") {
            return zip(stems, pieces).first { stem, _ in stem.hasPrefix(term.dropLast()) }?.1
        }
        let wanted = Words.all(of: term)
        guard wanted.count > 1 else { return zip(stems, pieces).first { stem, _ in wanted == [stem] }?.1 }
        return line.contains(" " + wanted.joined(separator: " ") + " ") ? term : nil
    }
}
