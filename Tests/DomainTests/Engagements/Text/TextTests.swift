import Domain
import Testing

@Suite("Reading text")
struct TextTests {
    @Test(
        "Forms of a word have one stem, accents and case do not matter",
        arguments: [
            ("price", "Pricing"), ("PRICES", "priced"), ("process", "processes"), ("country", "countries"),
            ("launch", "launches"), ("café", "Cafes"), ("plan", "planning"), ("Müller", "muller"), ("sell", "selling"),
        ]
    )
    func stems(left: String, right: String) {
        #expect(Words.all(of: left) == Words.all(of: right))
    }

    @Test("Words are runs of letters and digits; stop words carry nothing")
    func words() {
        #expect(
            Words.pieces(of: "B2B: the client's go-to-market, 12.5%") == [
                "b2b", "the", "clients", "go", "to", "market", "12", "5",
            ]
        )
        #expect(Words.content(of: "the of and a x") == [])
        #expect(Words.pieces(of: "e\u{301}te\u{301}") == ["ete"])
    }

    @Test("Sentences end where they end, not at abbreviations or in numbers")
    func sentences() {
        let text = "Dr. Smith paid 3.5 million, e.g. for tools. Was it much? “Yes.” He left! J. Doe stayed"
        #expect(
            Sentences.of(text).map(\.text) == [
                "Dr. Smith paid 3.5 million, e.g. for tools.", "Was it much?", "“Yes.”", "He left!", "J. Doe stayed",
            ]
        )
    }

    @Test("Headings, items, rows and wrapped lines are told apart")
    func blocks() {
        let text =
            "# Goal\nGrow the\nbusiness.\n\n- first\n- second\n  goes on\n1. third\n| a | b |\n| --- | --- |\n---\n> said"
        let sentences = Sentences.of(text)
        #expect(
            sentences.map(\.text) == [
                "Goal", "Grow the business.", "first", "second goes on", "third", "| a | b |", "said",
            ]
        )
        #expect(sentences.map(\.kind) == [.heading, .prose, .item, .item, .item, .row, .item])
    }

    @Test("Text without full stops is cut at spaces, and no word is lost")
    func endless() {
        let text = (0..<500).map { "word\($0)" }.joined(separator: " ")
        let sentences = Sentences.of(text).map(\.text)
        #expect(sentences.allSatisfy { $0.count <= Sentences.longest } && sentences.count > 5)
        #expect(sentences.joined(separator: " ") == text)
        let solid = String(repeating: "x", count: 1_000)
        #expect(Sentences.of(solid).map(\.text).joined() == solid)
    }

    @Test("Chinese and Japanese sentences end without a space")
    func cjk() {
        #expect(Sentences.of("市場は成長する。価格は高い！本当？").count == 3)
    }

    @Test("The sentence with the rarest words of the query comes first")
    func relevance() {
        let salience = Salience([["market", "grow"], ["price", "market"], ["market"], []])
        let scores = salience.relevance(to: ["price", "absent"])
        #expect(scores[1] > 0 && scores[0] == 0 && scores[3] == 0)
    }

    @Test("The sentence most like the others is the most central, and the ranks add up to one")
    func centrality() {
        let salience = Salience([["a", "b"], ["a", "b", "c", "d"], ["c", "d"], ["z"]])
        let ranks = salience.centrality(of: [0, 1, 2, 3])
        #expect(ranks[1] == ranks.max())
        #expect(abs(ranks.reduce(0, +) - 1) < 1e-9)
        #expect(salience.centrality(of: []) == [] && salience.centrality(of: [2]) == [1])
    }

    @Test("A repeated sentence is passed over for one that says something else")
    func spread() {
        let salience = Salience([["a", "b", "c"], ["a", "b", "c"], ["x", "y"], ["q"]])
        #expect(salience.spread([0, 1, 2], scores: [1, 0.95, 0.6], limit: 2) == [0, 2])
        #expect(salience.spread([3], scores: [0], limit: 2) == [3])
    }
}
