import Domain

/// One quotable sentence and where it stands.
struct Quote: Sendable {
    let text: String
    let source: ModelMaterial.Source

    var citation: String {
        "[\(source.label)" + (source.page.map { " p.\($0)" } ?? "") + "]"
    }

    /// Quoted, with its citation.
    var line: String { "“\(text)” \(citation)" }
}

/// All that may be quoted, ranked for one task.
struct OfflineSources {
    private let quotes: [Quote]
    private let salience: Salience
    /// The task's own words, as written, each once.
    let terms: [(word: String, stem: String)]
    /// The words of all sources.
    private let known: Set<String>

    /// Sentences of our own earlier documents that only count or name things are not evidence.
    init(_ material: ModelMaterial) {
        var quotes: [Quote] = []
        var seen: Set<String> = []
        // A file is quoted itself, not through an earlier document that quotes it.
        let firsthand = material.sources.filter { $0.kind != .dependency }
        for source in firsthand + material.sources.filter({ $0.kind == .dependency }) {
            for sentence in Self.quotable(source) where seen.insert(sentence.lowercased()).inserted {
                quotes.append(Quote(text: sentence, source: source))
            }
        }
        let words = quotes.map { Words.content(of: $0.text) }
        self.quotes = quotes
        salience = Salience(words)
        known = Set(words.flatMap(\.self))
        var named: Set<String> = []
        terms = Words.named(of: material.title + " " + material.instructions).filter { named.insert($0.stem).inserted }
    }

    /// Prose and list items of a brief, and of a file the rows with numbers, too; of a document that was itself prepared
    /// offline, only what it quotes.
    private static func quotable(_ source: ModelMaterial.Source) -> [String] {
        let all = Sentences.of(source.text)
        guard source.kind != .attachment else { return all.compactMap(quotable).filter { $0.count >= 12 } }
        let sentences = all.filter { $0.kind == .prose || $0.kind == .item }.map(\.text)
        guard source.kind == .dependency, source.text.hasPrefix(OfflineDocument.notice) else {
            return sentences.filter { $0.count >= 20 }
        }
        return sentences.compactMap { text in
            guard let open = text.firstIndex(of: "“"), let close = text.lastIndex(of: "”"), open < close else {
                return nil
            }
            return String(text[text.index(after: open)..<close])
        }.filter { $0.count >= 20 }
    }

    private static func quotable(_ sentence: Sentence) -> String? {
        switch sentence.kind {
        case .heading: nil
        case .prose, .item: sentence.text
        case .row: sentence.text.contains(where: \.isNumber) ? cells(sentence.text) : nil
        }
    }

    /// A row without the bars at its ends.
    private static func cells(_ row: String) -> String {
        var cells = row[...]
        while let first = cells.first, first == "|" || first == " " { cells.removeFirst() }
        while let last = cells.last, last == "|" || last == " " { cells.removeLast() }
        return String(cells)
    }

    /// The sentences that answer the task best, without repeats, in the order of their sources.
    func best(_ limit: Int, where accepts: (Quote) -> Bool = { _ in true }) -> [Quote] {
        let relevance = salience.relevance(to: terms.map(\.stem))
        let accepted = quotes.indices.filter { accepts(quotes[$0]) }
        let top = accepted.sorted { (relevance[$0], $1) > (relevance[$1], $0) }.prefix(60)
        let chosen = Array(top)
        let central = salience.centrality(of: chosen)
        let highest = max(chosen.map { relevance[$0] }.max() ?? 0, .leastNonzeroMagnitude)
        let scores = zip(chosen, central).map { relevance[$0] / highest + $1 * Double(chosen.count) * 0.25 }
        return salience.spread(chosen, scores: scores, lambda: 0.7, limit: limit).sorted().map { quotes[$0] }
    }

    /// Terms of the task that no source mentions.
    var uncovered: [String] {
        terms.filter { !known.contains($0.stem) && $0.word.count > 3 }.map(\.word)
    }

    /// Pairs of sentences about the same thing with different numbers. Only listed, never judged.
    func comparisons(_ limit: Int) -> [(Quote, Quote)] {
        let figures = quotes.map { Set(Figures.of($0.text)) }
        let numeric = quotes.indices.filter { !figures[$0].isEmpty }.prefix(80)
        var pairs: [(alike: Double, left: Int, right: Int)] = []
        for (index, left) in numeric.enumerated() {
            for right in numeric.dropFirst(index + 1) where figures[left] != figures[right] {
                let alike = salience.similarity(left, right)
                if alike > 0.3, alike < 0.95 { pairs.append((alike, left, right)) }
            }
        }
        return pairs.sorted { ($0.alike, $1.left, $1.right) > ($1.alike, $0.left, $0.right) }.prefix(limit)
            .map { (quotes[$0.left], quotes[$0.right]) }
    }
}
