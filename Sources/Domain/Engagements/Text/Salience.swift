#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Which sentences matter: ranking with plain arithmetic, no model and no chance, so the same text gives the same order.
package struct Salience: Sendable {
    /// One sentence: its terms by number, ascending, with tf·idf weights of Euclidean length 1.
    private struct Vector {
        var terms: [(term: Int, weight: Double)]
        let length: Int
        let counts: [(term: Int, count: Int)]
    }

    private let numbers: [String: Int]
    private let vectors: [Vector]
    private let inverse: [Double]
    private let meanLength: Double

    /// - Parameter sentences: the content words of each sentence.
    package init(_ sentences: [[String]]) {
        var numbers: [String: Int] = [:]
        var frequency: [Int] = []
        var counted: [[(term: Int, count: Int)]] = []
        for words in sentences {
            var counts: [Int: Int] = [:]
            for word in words {
                let number = numbers[word] ?? numbers.count
                if number == frequency.count { frequency.append(0) }
                numbers[word] = number
                counts[number, default: 0] += 1
            }
            for number in counts.keys { frequency[number] += 1 }
            counted.append(counts.map { (term: $0.key, count: $0.value) }.sorted { $0.term < $1.term })
        }
        let total = Double(sentences.count)
        let inverse = frequency.map { log(1 + (total - Double($0) + 0.5) / (Double($0) + 0.5)) }
        self.numbers = numbers
        self.inverse = inverse
        vectors = zip(sentences, counted).map { Self.vector($1, length: $0.count, inverse: inverse) }
        meanLength = max(1, Double(sentences.reduce(0) { $0 + $1.count }) / max(1, total))
    }

    private static func vector(_ counts: [(term: Int, count: Int)], length: Int, inverse: [Double]) -> Vector {
        var terms = counts.map { (term: $0.term, weight: Double($0.count) * inverse[$0.term]) }
        let norm = terms.reduce(0) { $0 + $1.weight * $1.weight }.squareRoot()
        if norm > 0 { for index in terms.indices { terms[index].weight /= norm } }
        return Vector(terms: terms, length: length, counts: counts)
    }

    /// How well each sentence answers a query, by BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza, 2009).
    package func relevance(to query: [String]) -> [Double] {
        let wanted = Set(query.compactMap { numbers[$0] })
        return vectors.map { vector in
            let stretch = 1.2 * (0.25 + 0.75 * Double(vector.length) / meanLength)
            return vector.counts.reduce(0) { score, entry in
                guard wanted.contains(entry.term) else { return score }
                let count = Double(entry.count)
                return score + inverse[entry.term] * count * 2.2 / (count + stretch)
            }
        }
    }

    /// How central each of some sentences is among them, by power iteration over their similarities, after LexRank
    /// (Erkan and Radev, 2004). The values add up to 1.
    package func centrality(of chosen: [Int]) -> [Double] {
        let count = chosen.count
        guard count > 1 else { return [Double](repeating: 1, count: count) }
        var rows = [[(to: Int, weight: Double)]](repeating: [], count: count)
        for left in 0..<count {
            for right in (left + 1)..<count {
                let alike = similarity(chosen[left], chosen[right])
                guard alike > 0.05 else { continue }
                rows[left].append((to: right, weight: alike))
                rows[right].append((to: left, weight: alike))
            }
        }
        let sums = rows.map { $0.reduce(0) { $0 + $1.weight } }
        var rank = [Double](repeating: 1 / Double(count), count: count)
        for _ in 0..<20 { rank = Self.step(rank, rows, sums) }
        return rank
    }

    private static func step(_ rank: [Double], _ rows: [[(to: Int, weight: Double)]], _ sums: [Double]) -> [Double] {
        let count = Double(rank.count)
        var loose = 0.0
        for index in rank.indices where sums[index] == 0 { loose += rank[index] }
        var next = [Double](repeating: 0.15 / count + 0.85 * loose / count, count: rank.count)
        for (index, row) in rows.enumerated() {
            for edge in row { next[edge.to] += 0.85 * rank[index] * edge.weight / sums[index] }
        }
        return next
    }

    /// Picks by maximal marginal relevance (Carbonell and Goldstein, 1998): what matters and is not said already.
    ///
    /// - Parameters:
    ///   - chosen: the sentences to pick from.
    ///   - scores: their worth, in the same order.
    ///   - lambda: 1 looks at worth only, 0 at difference only.
    ///   - limit: how many to pick at most.
    /// - Returns: sentences, best first.
    package func spread(_ chosen: [Int], scores: [Double], lambda: Double = 0.7, limit: Int) -> [Int] {
        let top = scores.max() ?? 0
        guard top > 0 else { return Array(chosen.prefix(limit)) }
        var left = zip(chosen, scores).map { (sentence: $0, worth: $1 / top, repeated: 0.0) }
        var picked: [Int] = []
        while picked.count < limit, !left.isEmpty {
            var best = 0
            for index in left.indices where value(left[index], lambda) > value(left[best], lambda) { best = index }
            let sentence = left.remove(at: best).sentence
            picked.append(sentence)
            for index in left.indices {
                left[index].repeated = max(left[index].repeated, similarity(left[index].sentence, sentence))
            }
        }
        return picked
    }

    private func value(_ entry: (sentence: Int, worth: Double, repeated: Double), _ lambda: Double) -> Double {
        lambda * entry.worth - (1 - lambda) * entry.repeated
    }

    /// The cosine of two sentences, 0 to 1.
    package func similarity(_ left: Int, _ right: Int) -> Double {
        let first = vectors[left].terms
        let second = vectors[right].terms
        var (i, j, sum) = (0, 0, 0.0)
        while i < first.count, j < second.count {
            if first[i].term == second[j].term {
                sum += first[i].weight * second[j].weight
                i += 1
                j += 1
            } else if first[i].term < second[j].term {
                i += 1
            } else {
                j += 1
            }
        }
        return sum
    }
}
