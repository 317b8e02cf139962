#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// What is looked for: the words of a task, and the words around it that count less.
package struct ContextQuery: Sendable {
    /// At most so many bytes of each are read.
    private static let longest = 4_000

    let main: String
    let background: String

    /// - Parameters:
    ///   - main: a question, a title.
    ///   - background: a brief, for instance.
    package init(_ main: String, background: String = "") {
        self.main = Self.cut(main)
        self.background = Self.cut(background)
    }

    private static func cut(_ text: String) -> String {
        let text = text.replacing("\0", with: " ")
        return text.utf8.count > longest ? String(text.prefix(longest / 4)) : text
    }
}

/// A word of a query, as the index knows it.
struct QueryTerm: Sendable, Equatable {
    let lexeme: String
    /// 1 for the task's own words, less for others.
    let weight: Double
    /// Passages that have it.
    let chunks: Int

    /// How much it says, of so many passages: BM25's inverse document frequency, times the weight.
    func worth(of total: Int) -> Double {
        let share = (Double(total - chunks) + 0.5) / (Double(chunks) + 0.5)
        return weight * log(1 + max(share, 0))
    }
}

/// Which passages are looked at: those with rare words, and those with several common ones. Ranking reads every candidate,
/// so their number, not that of the index, is what a search costs.
struct CandidatePlan: Sendable, Equatable {
    /// Passages that each of the two ways may bring.
    static let most = 240
    private static let mostTerms = 24
    private static let mostNear = 8

    /// The terms that rank, rarest first.
    let terms: [QueryTerm]
    /// Of these it counts whether they stand close together: those that tell most.
    let nearest: [String]
    /// Any of these finds.
    let anyOf: [String]
    /// All of these together find; empty where the rare ones suffice.
    let allOf: [String]

    /// - Parameter total: passages in the generation.
    init(_ found: [QueryTerm], total: Int) {
        let useful = found.filter { $0.chunks > 0 }
            .sorted { ($1.worth(of: total), $0.lexeme) < ($0.worth(of: total), $1.lexeme) }
            .prefix(Self.mostTerms)
        nearest = useful.prefix(Self.mostNear).map(\.lexeme)
        terms = useful.sorted { ($0.chunks, $0.lexeme) < ($1.chunks, $1.lexeme) }
        var sum = 0
        let rare = terms.prefix { term in
            sum += term.chunks
            return sum <= Self.most
        }
        let common = terms.dropFirst(rare.count)
        var together: [String] = []
        var expected = Double(total)
        for term in common where expected > Double(Self.most) || together.isEmpty {
            together.append(term.lexeme)
            expected *= Double(term.chunks) / Double(max(1, total))
        }
        anyOf = rare.map(\.lexeme)
        // Three words at most: more of them seldom stand together.
        allOf = Array(together.prefix(3))
    }

    // MARK: tsquery

    /// Quoted as PostgreSQL's manual, 8.11.2, has it: no word can be read as an operator.
    static func quoted(_ lexeme: String) -> String {
        "'" + lexeme.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }

    static func any(_ lexemes: [String]) -> String { lexemes.map(quoted).joined(separator: " | ") }
    static func all(_ lexemes: [String]) -> String { lexemes.map(quoted).joined(separator: " & ") }
}
