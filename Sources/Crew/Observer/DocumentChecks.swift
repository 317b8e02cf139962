import Domain

/// What code can tell of a document without an opinion: free, and the same every time (engine 3.8).
package struct DocumentChecks: Sendable, Hashable {
    /// Words of the document.
    package let words: Int
    /// Markdown headings below the title.
    package let sections: Int
    /// The terms of task and brief that the document should speak of, and those that it does.
    package let terms: Int
    package let covered: Int
    /// Up to five terms that it does not mention, as written.
    package let missing: [String]
    /// Sentences that are there more than once, of 100.
    package let repeated: Int
    /// Sentences with a figure or a citation, of 100.
    package let grounded: Int
    /// What no document may have, in words for people.
    package let hardFaults: [String]

    /// - Parameter brief: the client's own words.
    package init(of document: String, task: PlannedTask, brief: String) {
        let prose = Self.prose(document)
        let pieces = Words.pieces(of: prose)
        words = pieces.count
        let lines = document.split(separator: "\n")
        sections = lines.count { $0.hasPrefix("##") }
        let spoken = Set(Words.content(of: prose))
        let wanted = Self.terms(task, brief)
        terms = wanted.count
        let open = wanted.filter { !spoken.contains($0.stem) }
        covered = wanted.count - open.count
        missing = open.prefix(5).map(\.word)
        let sentences = Sentences.of(prose).map(\.text).filter { $0.utf8.count > 20 }
        let distinct = Set(sentences)
        repeated = sentences.isEmpty ? 0 : 100 * (sentences.count - distinct.count) / sentences.count
        grounded = sentences.isEmpty ? 0 : 100 * distinct.count { Self.isGrounded($0) } / max(1, distinct.count)
        hardFaults = Self.hardFaults(pieces.count, document, repeated)
    }

    /// The task's own words first, then those that the brief says most often; at most thirty.
    private static func terms(_ task: PlannedTask, _ brief: String) -> [(word: String, stem: String)] {
        var seen: Set<String> = []
        let own = Words.named(of: task.title + "\n" + task.description).filter { seen.insert($0.stem).inserted }
        var counts: [String: (word: String, count: Int, place: Int)] = [:]
        for (place, term) in Words.named(of: brief).enumerated() where !seen.contains(term.stem) {
            counts[term.stem, default: (term.word, 0, place)].count += 1
        }
        let often = counts.sorted { ($1.value.count, $0.value.place) < ($0.value.count, $1.value.place) }
        return Array((own + often.map { (word: $0.value.word, stem: $0.key) }).prefix(30))
    }

    private static func hardFaults(_ words: Int, _ document: String, _ repeated: Int) -> [String] {
        var faults: [String] = []
        if words < 40 { faults.append("it has only \(words) words") }
        let lower = document.lowercased()
        if let sign = placeholders.first(where: { lower.contains($0) }) {
            faults.append("it holds placeholder text (\"\(sign)\")")
        }
        if repeated > 30 { faults.append("\(repeated) % of its sentences repeat others") }
        return faults
    }

    private static let placeholders = [
        "lorem ipsum", "[insert", "[your ", "[todo", "tbd.", "todo:", "xxx", "as an ai language model",
    ]

    private static func isGrounded(_ sentence: String) -> Bool {
        sentence.utf8.contains { (48...57).contains($0) } || sentence.contains("[")
    }

    /// Without what is quoted as code.
    private static func prose(_ document: String) -> String {
        var isCode = false
        return document.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            guard line.hasPrefix("```") else { return !isCode }
            isCode.toggle()
            return false
        }.joined(separator: "\n")
    }
}
