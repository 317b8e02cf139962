import Domain
import LLM
import Testing

@Suite("The offline provider")
struct OfflineExtractiveTests {
    private let brief = """
        Nordhavn sells wireless loggers for refrigerated transport. A logger costs 79 euros once and 4.50 euros a month.
        About 2,900 companies in Germany run refrigerated trailers. The launch date is 1 October 2026.
        The budget is 480,000 euros for the first 15 months. Monthly churn must stay below 1 percent.
        """

    private func write(_ sources: [ModelMaterial.Source]) async throws -> ModelReply {
        let material = ModelMaterial(
            title: "Pricing analysis",
            instructions: "Compare prices, costs and subscriptions for refrigerated trailers.",
            sources: sources
        )
        let request = ModelRequest(model: "offline-extractive-1", messages: [], maxOutput: 100, material: material)
        return try await OfflineExtractive().complete(request, onText: { _ in })
    }

    private var briefSource: ModelMaterial.Source {
        ModelMaterial.Source(kind: .brief, label: "S1", name: "Brief", text: brief)
    }

    @Test("Its first line says that no language model was used, and it costs nothing")
    func honest() async throws {
        let reply = try await write([briefSource])
        #expect(
            reply.text.hasPrefix(
                "> Prepared without a language model: sentences below are quoted from the brief and attachments.\n\n# "
            )
        )
        #expect(reply.usage == .zero && reply.finish == .stop)
        #expect(reply.text.contains("No attachments were given"))
    }

    @Test("Every quoted sentence stands in a source, word for word, with its citation")
    func verbatim() async throws {
        let text = try await write([briefSource]).text
        let whole = brief.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let quotes = text.matches(of: /“([^”]+)” \[S1\]/).map { String($0.1) }
        #expect(quotes.count >= 5)
        for quote in quotes { #expect(whole.contains(quote), "\(quote)") }
        #expect(text.contains("| 79 euros |") && text.contains("| 1 October 2026 |"))
    }

    @Test("What no source mentions is named as not covered, and asked about")
    func gaps() async throws {
        let text = try await write([briefSource]).text
        #expect(text.contains("No source mentions “subscriptions”."))
        #expect(text.contains("What is known about “subscriptions”"))
    }

    @Test("The same request gives the same bytes")
    func deterministic() async throws {
        #expect(try await write([briefSource]).text == write([briefSource]).text)
    }

    @Test("Of an earlier offline document only its quotations are quoted again")
    func dependencies() async throws {
        let first = try await write([briefSource]).text
        let earlier = ModelMaterial.Source(kind: .dependency, label: "S2", name: "Market analysis", text: first)
        let text = try await write([earlier]).text
        #expect(!text.contains("“No source mentions"))
        #expect(text.contains("] \(earlier.name)") && text.contains("[S2]"))
    }
}
