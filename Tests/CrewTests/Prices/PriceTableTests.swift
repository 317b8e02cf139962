import Crew
import Domain
import Foundation
import Testing

@Suite("Prices")
struct PriceTableTests {
    private let table = PriceTable()

    private func request(_ model: String, _ text: String, maxOutput: Int = 100) -> ModelRequest {
        ModelRequest(model: model, messages: [.init(.user, text)], maxOutput: maxOutput)
    }

    @Test("Cached tokens inside the prompt are charged once, at their own price")
    func openAI() {
        let usage = ModelUsage(uncachedInput: 1_000, cacheRead: 9_000, output: 500)
        let cost = table.price(of: "gpt-4.1-mini", provider: "openai").cost(of: usage)
        #expect(cost.nanos == 1_000 * 400 + 9_000 * 100 + 500 * 1_600)
    }

    @Test("The tokens of a real bill with a written cache cost $0.0544")
    func anthropic() {
        let usage = ModelUsage(uncachedInput: 3, cacheRead: 0, cacheWrite: 12_304, output: 550)
        let cost = table.price(of: "claude-sonnet-4-6", provider: "anthropic").cost(of: usage)
        #expect(cost.exact == "0.054399")
        #expect((cost.dollars * 10_000).rounded() == 544)
    }

    @Test(
        "A reservation holds whatever the tokenizer makes of the prompt",
        arguments: ["plain words", "市場分析", "{}[]();"]
    )
    func reservation(text: String) {
        let reserved = table.reservation(for: request("gpt-4.1", text, maxOutput: 10), provider: "openai")
        let bytes = text.utf8.count
        #expect(reserved.nanos == Int64((bytes + 1) / 2 + 32) * 2_000 + 10 * 8_000)
        // Half a token a byte is more than any text of either script makes.
        let usage = ModelUsage(uncachedInput: bytes / 2, output: 10)
        #expect(table.price(of: "gpt-4.1", provider: "openai").cost(of: usage) <= reserved)
    }

    @Test("A reservation covers a cache that is written at a higher price")
    func cacheWrite() {
        let price = table.price(of: "claude-sonnet-4-6", provider: "anthropic")
        let worst = price.worst(promptTokens: 100, maxOutput: 0)
        #expect(worst == price.cost(of: ModelUsage(uncachedInput: 0, cacheWrite: 100, output: 0)))
    }

    @Test("A model nobody has priced is charged at the dearest price, or nothing where the operator says so")
    func unpriced() {
        let dear = table.price(of: "my-model", provider: "openai")
        #expect(dear.input == 3_000 && dear.output == 15_000 && dear.model == "my-model")
        #expect(!table.knows("my-model", provider: "openai"))
        let free = PriceTable(unpricedIsFree: true)
        #expect(free.reservation(for: request("my-model", "x"), provider: "openai") == .zero)
        #expect(free.reservation(for: request("gpt-4.1", "x"), provider: "openai") > .zero)
        #expect(table.reservation(for: request("offline-extractive-1", "x"), provider: "offline") == .zero)
    }

    @Test("A dated name has the price of the plain one")
    func dated() {
        #expect(table.price(of: "gpt-4.1-mini-2025-04-14", provider: "openai").input == 400)
        #expect(table.knows("gpt-4.1-mini-2025-04-14", provider: "openai"))
        #expect(!table.knows("gpt-4.1-mini-2025-04-1x", provider: "openai"))
    }

    @Test("Usage that was not told is estimated from bytes and marked")
    func estimate() {
        let reply = ModelReply(text: String(repeating: "x", count: 400), finish: .stop, usage: nil, model: "gpt-4.1")
        let charge = table.charge(
            for: reply,
            to: request("gpt-4.1", String(repeating: "y", count: 4_000)),
            provider: "openai"
        )
        #expect(charge.isEstimated && charge.usage == ModelUsage(uncachedInput: 1_004, output: 100))
        #expect(charge.cost.nanos == 1_004 * 2_000 + 100 * 8_000)
    }

    @Test("A provider's own bill goes before the price table")
    func billed() {
        let reply = ModelReply(text: "x", finish: .stop, usage: .zero, model: "s", billed: NanoUSD(nanos: 7))
        #expect(table.charge(for: reply, to: request("s", "x"), provider: "simulated").cost.nanos == 7)
    }

    @Test("A call that was cut off costs its prompt and what had come of the answer")
    func cancelled() {
        let request = request("gpt-4.1", String(repeating: "y", count: 400))
        let charge = table.charge(forCancelled: request, partialOutputBytes: 40, provider: "openai")
        #expect(charge.usage == ModelUsage(uncachedInput: 104, output: 10) && charge.isEstimated)
        #expect(charge.cost <= table.reservation(for: request, provider: "openai"))
    }

    @Test("A simulated call reserves what it says it costs")
    func simulated() {
        var request = request("simulated", "x")
        request.simulation = Simulation(cost: NanoUSD(nanos: 300_000_000))
        #expect(table.reservation(for: request, provider: "simulated").nanos == 300_000_000)
    }

    @Test("An operator's file replaces and extends the shipped rows")
    func file() throws {
        let text = """
            {"models":[{"model":"gpt-4.1","provider":"openai","input":1,"output":2,"context":1000,"maxOutput":500},
            {"model":"llama","provider":"openai","input":0,"cached":0,"write":0,"output":0,"context":4096,"maxOutput":2048}]}
            """
        let table = try PriceTable(file: Data(text.utf8))
        #expect(table.price(of: "gpt-4.1", provider: "openai").output == 2)
        #expect(table.price(of: "llama", provider: "openai").context == 4_096)
        #expect(table.price(of: "gpt-4o-mini", provider: "openai").input == 150)
        #expect(table.provider(of: "llama") == "openai")
    }

    @Test(
        "A file that cannot be used says what is wrong and where",
        arguments: [
            ("[", "price file: not JSON; expected {\"models\": [...]}"),
            ("{}", "price file: \"models\" must be an array of prices"),
            (#"{"models":[{"provider":"p"}]}"#, "price file: models[0].input: must be whole nano-dollars a token"),
            (
                #"{"models":[{"provider":"p","input":1,"output":0.5,"context":300,"maxOutput":300}]}"#,
                "price file: models[0].model: must be a name"
            ),
            (
                #"{"models":[{"model":"m","provider":"p","input":1,"output":0.5,"context":300,"maxOutput":300}]}"#,
                "price file: models[0].output: must be whole nano-dollars a token"
            ),
            (
                #"{"models":[{"model":"m","provider":"p","input":1,"output":1,"context":1,"maxOutput":300}]}"#,
                "price file: models[0].context: must be a number of tokens from 256 to 100000000"
            ),
        ]
    )
    func brokenFile(text: String, message: String) {
        do throws(PriceFileFault) {
            _ = try PriceTable(file: Data(text.utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.description.hasPrefix(message))
        }
    }

    @Test(
        "Money is written exactly, with no more decimals than it needs",
        arguments: [
            (0, "0.00"), (54_399_000, "0.054399"), (5_000_000_000, "5.00"), (1, "0.000000001"),
            (-1_500_000_000, "-1.50"),
        ]
    )
    func exact(nanos: Int64, text: String) {
        #expect(NanoUSD(nanos: nanos).exact == text)
    }
}
