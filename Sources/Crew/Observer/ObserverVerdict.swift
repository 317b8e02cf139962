import Domain
private import FoundationEssentials

/// Reads a judge's answer. A valid shape proves nothing: quotes must be in the document, and code has the last word.
package enum ObserverVerdict {
    /// Why an answer cannot be used, in words that a judge understands.
    package struct Unusable: Error, CustomStringConvertible, Equatable {
        package let description: String
    }

    /// The weighted mean over the criteria whose quote is in the document, at most 5.0 where a check fails hard.
    ///
    /// - Throws: ``Unusable``; a score is never invented.
    package static func score(
        _ answer: String,
        of document: String,
        task: PlannedTask,
        brief: String
    ) throws(Unusable) -> QualityScore {
        let json = try object(answer)
        guard let marks = json["criteria"]?.arrayValue else { throw Unusable(description: "\"criteria\" is missing") }
        let text = folded(document)
        var sum = 0
        var weights = 0
        for criterion in task.rubric.criteria {
            let mark = marks.first { $0["name"]?.stringValue == criterion.name }
            guard let mark else { throw Unusable(description: "the criterion \"\(criterion.name)\" is missing") }
            guard let score = mark["score"]?.intValue, (0...10).contains(score) else {
                throw Unusable(description: "the score of \"\(criterion.name)\" is no whole number from 0 to 10")
            }
            let quote = folded(mark["quote"]?.stringValue ?? "")
            guard !quote.isEmpty, text.contains(quote) else { continue }
            sum += score * criterion.weight
            weights += criterion.weight
        }
        guard weights > 0 else { throw Unusable(description: "no quote is in the document") }
        let tenths = (20 * sum + weights) / (2 * weights)
        let faults = DocumentChecks(of: document, task: task, brief: brief).hardFaults
        let words = (json["feedback"]?.stringValue ?? "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !faults.isEmpty else { return QualityScore(tenths: tenths, rubric: task.rubric, feedback: words) }
        return QualityScore(
            tenths: min(tenths, QualityScore.cap),
            rubric: task.rubric,
            feedback: "Capped at 5.0: \(faults.joined(separator: "; ")). \(words)"
        )
    }

    /// The outermost braces: many models wrap their JSON in words or in a code block.
    private static func object(_ answer: String) throws(Unusable) -> JSON {
        guard let start = answer.firstIndex(of: "{"), let end = answer.lastIndex(of: "}"), start < end,
            let json = try? JSON(parsing: Data(answer[start...end].utf8)), case .object = json
        else { throw Unusable(description: "it is no JSON object") }
        return json
    }

    /// Quotes may differ from the document in white space and in typographic quotes, not in words.
    private static func folded(_ text: String) -> String {
        let plain = text.map { character -> Character in
            switch character {
            case "\u{2018}", "\u{2019}": "'"
            case "\u{201C}", "\u{201D}": "\""
            default: character
            }
        }
        return String(plain).lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
