import Crew
import Domain
import Testing

@Suite("Answers that ask colleagues")
struct DelegationReplyTests {
    private func read(_ text: String) -> DelegationReply? { DelegationReply(text, from: "market_insights_analyst") }

    private static let one = #"{"delegate":[{"to":"pricing_strategist","question":"How much?"}]}"#
    private static let question = DelegatedQuestion(to: "pricing_strategist", question: "How much?")

    static let requests = [
        one, "  \n\(one)\n", "```\n\(one)\n```", "```json\n\(one)\n```\n", "```json \(one)```",
        #"{"reason":"x","delegate":[{"to":"pricing_strategist","question":" How much?\n","why":1}]}"#,
    ]

    @Test("Only a JSON object that is the whole answer asks, in a code fence or not", arguments: requests)
    func asks(_ text: String) {
        #expect(read(text) == .asks([Self.question]))
    }

    static let documents = [
        "# First\n\nWe delegate.", "# First\n\n\(one)", "Here: ```json\n\(one)\n```",
        #"{"price": 5}"#, #"[{"delegate":[]}]"#, #"{"a":{"delegate":[]}}"#, "{", "", "```", "``````", "{curly} words",
    ]

    @Test("Everything else is a document, with the word in it or not", arguments: documents)
    func document(_ text: String) {
        #expect(read(text) == nil)
    }

    @Test("Two questions go to two members, or to one")
    func two() {
        let text = """
            {"delegate":[{"to":"pricing_strategist","question":"How much?"},
            {"to":"pricing_strategist","question":"How often\\u0000?"}]}
            """
        let second = DelegatedQuestion(to: "pricing_strategist", question: "How often ?")
        #expect(read(text) == .asks([Self.question, second]))
    }

    private static func item(_ to: String, _ question: String = "Why?") -> String {
        #"{"to":"\#(to)","question":"\#(question)"}"#
    }

    static let unusable: [(String, String)] = [
        (#"{"delegate":[]}"#, "takes a list of 1 to 2 questions, not 0"),
        (#"{"delegate":"everyone"}"#, "takes a list of 1 to 2 questions"),
        (#"{"delegate":null}"#, "takes a list of 1 to 2 questions"),
        (
            #"{"delegate":[\#([item("a"), item("b"), item("c")].joined(separator: ","))]}"#,
            "takes a list of 1 to 2 questions, not 3"
        ),
        (#"{"delegate":[\#(item("everyone"))]}"#, #"delegate[0].to: nobody who can be asked is called "everyone""#),
        (#"{"delegate":[\#(item("quality_observer"))]}"#, #"is called "quality_observer""#),
        (#"{"delegate":[\#(item("market_insights_analyst"))]}"#, "delegate[0].to: you cannot ask yourself"),
        (#"{"delegate":[{"question":"Why?"}]}"#, "delegate[0].to is no slug of the crew's list"),
        (#"{"delegate":["pricing_strategist"]}"#, "delegate[0].to is no slug of the crew's list"),
        (#"{"delegate":[{"to":"pricing_strategist"}]}"#, "delegate[0].question takes 1 to 1000 characters"),
        (#"{"delegate":[\#(item("pricing_strategist", "  "))]}"#, "delegate[0].question takes 1 to 1000 characters"),
        (
            #"{"delegate":[\#(item("pricing_strategist", String(repeating: "x", count: 1_001)))]}"#,
            "delegate[0].question takes 1 to 1000 characters"
        ),
        (
            #"{"delegate":[\#(item("pricing_strategist")),\#(item("pricing_strategist"))]}"#,
            "delegate[1] asks the same member the same again"
        ),
        (#"{"delegate":[{"to":"pricing_strategist""#, "the answer is not one JSON object and nothing else"),
        ("\(one)\n\nThat is what I would ask.", "the answer is not one JSON object and nothing else"),
    ]

    @Test("What breaks a rule gives nobody work, and the reason names the place", arguments: unusable)
    func refused(_ text: String, _ why: String) throws {
        guard case .unusable(let reason)? = read(text) else {
            Issue.record("not refused: \(text.prefix(80))")
            return
        }
        #expect(reason.contains(why), "\(reason)")
    }
}
