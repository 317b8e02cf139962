import Domain

/// Shortens a document by leaving sentences out; what stays is word for word what was there.
enum Digest {
    /// - Parameters:
    ///   - text: the document.
    ///   - limit: the most UTF-8 bytes of the digest.
    ///   - query: content words of what the reader needs; sentences about them stay first.
    /// - Returns: the text itself where it fits; else the sentences that matter most, in order, and a line that says
    ///   how many were kept.
    static func of(_ text: String, limit: Int, query: [String]) -> String {
        guard text.utf8.count > limit else { return text }
        let sentences = Sentences.of(text)
        let kept = choose(sentences, room: limit - noteRoom, query: query)
        let lines = sentences.indices.filter(kept.contains).map { line(sentences[$0]) }
        let note = "[shortened: \(kept.count) of \(sentences.count) sentences]"
        return (lines + [note]).joined(separator: "\n")
    }

    private static let noteRoom = 64

    private static func choose(_ sentences: [Sentence], room: Int, query: [String]) -> Set<Int> {
        var kept: Set<Int> = []
        var left = room
        for index in ranked(sentences, query) {
            let cost = line(sentences[index]).utf8.count + 1
            let heading = heading(of: index, sentences).flatMap { kept.contains($0) ? nil : $0 }
            let headingCost = heading.map { line(sentences[$0]).utf8.count + 1 } ?? 0
            guard cost + headingCost <= left else { continue }
            left -= cost + headingCost
            kept.insert(index)
            if let heading { kept.insert(heading) }
        }
        return kept
    }

    /// Best first: what answers the query, what is central, and what stands early.
    private static func ranked(_ sentences: [Sentence], _ query: [String]) -> [Int] {
        let salience = Salience(sentences.map { Words.content(of: $0.text) })
        let relevance = salience.relevance(to: query)
        let candidates = sentences.indices.filter { sentences[$0].kind != .heading }.prefix(200)
        let central = salience.centrality(of: Array(candidates))
        let best = max(relevance.max() ?? 0, .leastNormalMagnitude)
        let most = max(central.max() ?? 0, .leastNormalMagnitude)
        var scored: [(index: Int, score: Double)] = []
        for (place, index) in candidates.enumerated() {
            let early = 1 - Double(index) / Double(sentences.count)
            scored.append((index, relevance[index] / best + central[place] / most + early / 2))
        }
        return scored.sorted { ($1.score, $0.index) < ($0.score, $1.index) }.map(\.index)
    }

    private static func heading(of index: Int, _ sentences: [Sentence]) -> Int? {
        sentences[..<index].lastIndex { $0.kind == .heading }
    }

    private static func line(_ sentence: Sentence) -> String {
        switch sentence.kind {
        case .heading: "## \(sentence.text)"
        case .item: "- \(sentence.text)"
        case .prose, .row: sentence.text
        }
    }
}
