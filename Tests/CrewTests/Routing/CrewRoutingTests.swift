import Crew
import Domain
import Testing

@Suite("Choosing models")
struct CrewRoutingTests {
    private func routing(_ providers: Set<String>, model: String? = nil, free: Bool = false) -> CrewRouting {
        CrewRouting(prices: PriceTable(unpricedIsFree: free), providers: providers, defaultModel: model)
    }

    private func question(
        _ kind: StepKind = .work,
        _ rubric: Rubric = .analytical,
        override: String? = nil,
        tokens: Int = 1_000,
        output: Int = 2_000,
        left: Int64? = nil
    ) -> RouteQuestion {
        RouteQuestion(
            kind: kind,
            rubric: rubric,
            tier: .small,
            override: override,
            promptTokens: tokens,
            maxOutput: output,
            budgetLeft: left.map(NanoUSD.init(nanos:))
        )
    }

    private func text(_ routes: [ModelRoute]) -> [String] { routes.map { "\($0.model) \($0.reason.rawValue)" } }

    @Test("Without a key every step goes to the offline provider")
    func offline() {
        let routing = routing([])
        #expect(routing.isOffline)
        for kind in StepKind.allCases {
            #expect(text(routing.candidates(for: question(kind))) == ["offline-extractive-1 default"])
        }
    }

    @Test(
        "With both providers the table's rows come out as written",
        arguments: [
            (
                StepKind.observe, Rubric.risk,
                ["gpt-4o-mini default", "gpt-4.1-nano budget", "claude-haiku-4-5 failover"]
            ),
            (.plan, .risk, ["gpt-4.1-mini default", "gpt-4.1-nano budget", "claude-haiku-4-5 failover"]),
            (.summarise, .strategic, ["gpt-4.1-mini default", "gpt-4.1-nano budget", "claude-haiku-4-5 failover"]),
            (.work, .analytical, ["gpt-4.1-nano default", "claude-haiku-4-5 failover"]),
            (.work, .technical, ["gpt-4.1-nano default", "claude-haiku-4-5 failover"]),
            (.work, .strategic, ["claude-sonnet-4-6 default", "gpt-4.1-mini budget", "gpt-4.1 failover"]),
            (.revise, .writing, ["claude-sonnet-4-6 default", "gpt-4.1-mini budget", "gpt-4.1 failover"]),
        ]
    )
    func rows(kind: StepKind, rubric: Rubric, expected: [String]) {
        #expect(text(routing(["openai", "anthropic"]).candidates(for: question(kind, rubric))) == expected)
    }

    @Test("Where the first choice's provider is not configured, the other one's model takes its place")
    func oneProvider() {
        #expect(
            text(routing(["openai"]).candidates(for: question(.work, .strategic))) == [
                "gpt-4.1 default", "gpt-4.1-mini budget",
            ]
        )
        #expect(text(routing(["anthropic"]).candidates(for: question())) == ["claude-haiku-4-5 default"])
    }

    @Test("A long prompt or a low score before goes to a larger model")
    func context() {
        #expect(
            text(routing(["openai"]).candidates(for: question(tokens: 16_001))) == [
                "gpt-4.1-mini context", "gpt-4.1-nano budget",
            ]
        )
        var low = question()
        low.scoredLow = true
        #expect(routing(["openai"]).candidates(for: low).first?.reason == .context)
    }

    @Test("A provider that is down is passed over, and nothing is left when it was the only one")
    func down() {
        var question = question(.work, .strategic)
        question.down = ["anthropic"]
        #expect(
            text(routing(["openai", "anthropic"]).candidates(for: question)) == [
                "gpt-4.1-mini budget", "gpt-4.1 failover",
            ]
        )
        question.down = ["openai", "anthropic"]
        #expect(routing(["openai", "anthropic"]).candidates(for: question).isEmpty)
    }

    @Test("The caller's model goes first, and the table stands behind it")
    func override() {
        let routes = routing(["openai"]).candidates(for: question(override: "gpt-4.1"))
        #expect(text(routes) == ["gpt-4.1 override", "gpt-4.1-nano default"])
        let unknown = routing(["openai"]).candidates(for: question(override: "my-model"))
        #expect(unknown.first == ModelRoute(provider: "openai", model: "my-model", reason: .override))
    }

    @Test("The operator's one model replaces the table")
    func defaultModel() {
        let routing = routing(["openai"], model: "qwen3-30b", free: true)
        for rubric in Rubric.allCases {
            #expect(text(routing.candidates(for: question(.work, rubric))) == ["qwen3-30b default"])
        }
        let choice = routing.choose(question(output: 100_000, left: 0))
        #expect(choice?.reservation == .zero && choice?.maxOutput == 4_096)
    }

    @Test("A model is asked for where it is made: claude-… at Anthropic, dated or not, unless only a gateway is there")
    func makers() {
        let both = routing(["openai", "anthropic"])
        for model in ["claude-haiku-4-5", "claude-haiku-4-5-20251001", "claude-unheard-of"] {
            #expect(both.candidates(for: question(override: model, tokens: 10)).first?.provider == "anthropic")
        }
        #expect(routing(["openai"]).candidates(for: question(override: "claude-haiku-4-5")).first?.provider == "openai")
        let one = routing(["openai", "anthropic"], model: "claude-sonnet-4-6").candidates(for: question())
        #expect(one == [ModelRoute(provider: "anthropic", model: "claude-sonnet-4-6", reason: .default)])
        let dated = PriceTable().price(of: "claude-haiku-4-5-20251001", provider: "anthropic")
        #expect(dated == PriceTable().price(of: "claude-haiku-4-5", provider: "anthropic"))
    }

    @Test("A model that cannot hold the prompt is passed over")
    func tooLong() {
        let routes = routing(["openai"]).candidates(for: question(.observe, tokens: 127_000))
        #expect(text(routes) == ["gpt-4.1-nano budget"])
    }

    @Test("A short budget takes the cheaper model, then a shorter answer, then nothing")
    func budget() throws {
        let routing = routing(["openai"])
        // gpt-4.1: 1,000 tokens in and 2,000 out are 18,000,000 nanos; gpt-4.1-mini: 3,600,000.
        let rich = try #require(routing.choose(question(.work, .strategic, left: 18_000_000)))
        #expect(rich.route.model == "gpt-4.1" && rich.reservation.nanos == 18_000_000 && rich.maxOutput == 2_000)
        let poor = try #require(routing.choose(question(.work, .strategic, left: 17_999_999)))
        #expect(poor.route == ModelRoute(provider: "openai", model: "gpt-4.1-mini", reason: .budget))
        let poorer = try #require(routing.choose(question(.work, .strategic, left: 3_599_999)))
        #expect(poorer.route.model == "gpt-4.1-mini" && poorer.maxOutput == 1_999)
        let least = try #require(routing.choose(question(.work, .strategic, left: 400_000 + 512 * 1_600)))
        #expect(least.maxOutput == CrewRouting.leastOutput && least.reservation.nanos == 1_219_200)
        #expect(routing.choose(question(.work, .strategic, left: 1_219_199)) == nil)
    }

    @Test("A simulated task needs what it says it costs, and no model")
    func simulated() {
        var question = question(left: 100)
        question.simulated = NanoUSD(nanos: 100)
        let choice = routing([]).choose(question)
        #expect(choice?.route.provider == "simulated" && choice?.reservation.nanos == 100)
        question.simulated = NanoUSD(nanos: 101)
        #expect(routing([]).choose(question) == nil)
    }

    @Test("Whatever is left, a choice never reserves more")
    func neverMore() {
        let routing = routing(["openai", "anthropic"])
        for rubric in Rubric.allCases {
            for left in stride(from: Int64(0), through: 80_000_000, by: 999_983) {
                guard let choice = routing.choose(question(.work, rubric, output: 3_072, left: left)) else { continue }
                #expect(choice.reservation.nanos <= left && choice.maxOutput >= CrewRouting.leastOutput)
            }
        }
    }
}
