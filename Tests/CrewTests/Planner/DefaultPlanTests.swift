import Crew
import Domain
import Testing

@Suite("Default plans")
struct DefaultPlanTests {
    static func plan(
        _ name: String,
        _ brief: String = "",
        given: [CrewTask] = [],
        budget: Double = 5,
        providers: Set<String> = ["openai", "anthropic"],
        hasData: Bool = false
    ) -> CrewPlan {
        CrewPlanner.plan(
            name: name,
            brief: brief,
            given: given,
            budget: NanoUSD(dollars: budget) ?? .zero,
            estimator: PlanEstimator(routing: CrewRouting(prices: PriceTable(), providers: providers)),
            hasData: hasData
        )
    }

    static let kinds: [(String, String, [String])] = [
        (
            "go_to_market", "Go-to-market for a B2B SaaS launch",
            [
                "market_analysis", "competitor_landscape", "customer_segments", "channel_plan", "pricing_analysis",
                "strategy_document",
            ]
        ),
        (
            "digital_presence", "Digital presence: website, SEO and social channels of the brand",
            ["brand_audit", "competitor_landscape", "audience_insights", "content_plan", "digital_strategy"]
        ),
        (
            "market_entry", "Entering an international market: expansion to other countries",
            ["market_sizing", "regulatory_scan", "entry_options", "business_case", "market_entry_strategy"]
        ),
        (
            "competitive_review", "Benchmark our positioning against each competitor",
            ["competitor_profiles", "market_analysis", "positioning_map", "gap_analysis", "competitive_strategy"]
        ),
        (
            "operations", "Process efficiency in supply and operations, cut cost",
            ["process_review", "data_review", "root_causes", "savings_case", "improvement_plan"]
        ),
        (
            "technology", "Cloud migration of the data platform, architecture and AI",
            ["current_state_review", "vendor_landscape", "target_architecture", "risk_register", "technology_roadmap"]
        ),
        (
            "business_case", "ROI forecast and valuation for fundraising",
            ["market_analysis", "data_review", "financial_model", "sensitivity_analysis", "business_case"]
        ),
        (
            "pricing", "Packaging and monetisation",
            ["customer_insights", "competitor_pricing", "price_options", "revenue_impact", "pricing_strategy"]
        ),
        (
            "product", "Product discovery: features, UX and roadmap",
            ["user_needs", "competitor_landscape", "opportunity_map", "feasibility_check", "product_strategy"]
        ),
        (
            "organisation", "Culture, talent and team restructuring in HR",
            ["stakeholder_analysis", "current_state_review", "operating_model", "change_plan", "organisation_strategy"]
        ),
        ("general", "Help us", ["market_analysis", "data_review", "options_analysis", "strategy_document"]),
    ]

    @Test("Every kind of engagement has its own tasks inside the common skeleton", arguments: kinds)
    func skeleton(archetype: String, brief: String, middle: [String]) {
        let plan = Self.plan(brief)
        #expect(plan.archetype == archetype)
        #expect(plan.tasks.map(\.id) == ["brief_analysis"] + middle + ["implementation_roadmap", "executive_summary"])
        #expect(plan.tasks.allSatisfy { AgentRoster.assignable.contains($0.agentSlug) })
        #expect(Set(plan.tasks.map(\.filename)).count == plan.tasks.count)
    }

    @Test("The graph is the skeleton's: brief, research in parallel, core, main document, roadmap, summary")
    func edges() {
        let plan = Self.plan("Product discovery: features, UX")
        let edges = Dictionary(uniqueKeysWithValues: plan.tasks.map { ($0.id, $0.dependsOn) })
        #expect(edges["brief_analysis"] == [])
        #expect(edges["user_needs"] == ["brief_analysis"] && edges["competitor_landscape"] == ["brief_analysis"])
        #expect(edges["opportunity_map"] == ["user_needs", "competitor_landscape"])
        #expect(edges["product_strategy"] == ["opportunity_map", "feasibility_check"])
        #expect(edges["implementation_roadmap"] == ["product_strategy"])
        #expect(edges["executive_summary"] == ["product_strategy", "implementation_roadmap"])
    }

    @Test("A tie or too few points is no kind of its own")
    func undecided() {
        #expect(Self.plan("Launch").archetype == "general")
        #expect(Self.plan("Brand and website of a platform migration").archetype == "general")
        #expect(Self.plan("").matched.isEmpty)
    }

    @Test("Accents and case do not hide a trigger")
    func folded() {
        #expect(Self.plan("DIGITÄL présence, WEBSITES").archetype == "digital_presence")
    }

    @Test("A mention of prices or of rules forces a task in, and forced tasks are not optional")
    func forced() throws {
        let plan = Self.plan("Product discovery and features, with prices; mind the GDPR")
        let forced = plan.tasks.filter { ["pricing_analysis", "risk_register"].contains($0.id) }
        #expect(forced.count == 2 && forced.allSatisfy { !$0.optional })
        let main = try #require(plan.tasks.first { $0.id == "product_strategy" })
        #expect(main.dependsOn.contains("pricing_analysis") && main.dependsOn.contains("risk_register"))
        let market = Self.plan("Go-to-market for a B2B SaaS launch, with a price list")
        #expect(market.tasks.filter { $0.id == "pricing_analysis" }.map(\.optional) == [false])
    }

    @Test("A data file is read before anything else")
    func data() {
        let plan = Self.plan("ROI forecast and valuation", hasData: true)
        #expect(plan.tasks.prefix(2).map(\.id) == ["data_review", "brief_analysis"])
        #expect(plan.tasks[1].dependsOn == ["data_review"])
        #expect(plan.tasks.count { $0.id == "data_review" } == 1)
    }

    @Test("No plan of our own has more than nine tasks, and what goes is optional, from the bottom")
    func cap() {
        let plan = Self.plan("Go-to-market for B2B SaaS; prices; compliance", hasData: true)
        #expect(plan.tasks.count == CrewPlanner.cap)
        #expect(plan.dropped == ["implementation_roadmap", "competitor_landscape"])
        #expect(plan.tasks.last?.dependsOn == ["strategy_document"])
    }

    @Test("A budget too small for the worst case costs the optional tasks, never the skeleton")
    func budget() {
        let plan = Self.plan("Digital presence: website, SEO", budget: 0.05)
        #expect(plan.dropped == ["implementation_roadmap", "content_plan", "competitor_landscape"])
        #expect(
            plan.tasks.map(\.id) == [
                "brief_analysis", "brand_audit", "audience_insights", "digital_strategy", "executive_summary",
            ]
        )
        #expect(plan.tasks.first { $0.id == "audience_insights" }?.dependsOn == ["brand_audit"])
    }

    @Test("The default budget never binds a default plan, with any providers", arguments: kinds)
    func defaultBudget(archetype: String, brief: String, middle: [String]) {
        for providers in [[], ["openai"], ["anthropic"], ["openai", "anthropic"]] as [Set<String>] {
            let plan = Self.plan(
                brief,
                String(repeating: "More words of a long brief. ", count: 700),
                providers: providers
            )
            #expect(plan.dropped.isEmpty, "\(archetype) with \(providers)")
            #expect(plan.estimate.worst <= NanoUSD(nanos: 1_500_000_000))
            #expect(plan.estimate.expected <= plan.estimate.worst)
        }
    }

    @Test("One log line tells kind, words, tasks and estimate")
    func log() {
        let plan = Self.plan("Pricing: packaging", providers: [])
        let line = plan.log(budget: NanoUSD(nanos: 5_000_000_000))
        #expect(
            line == """
                Plan: pricing (matched pricing, packaging), 9 tasks: brief_analysis, customer_insights, \
                competitor_pricing, price_options, revenue_impact, pricing_analysis, pricing_strategy, \
                implementation_roadmap, executive_summary; estimated $0.00, at most $0.00 of $5.00 budget
                """
        )
        #expect(!line.contains("\n"))
    }

    @Test("The plan counts as delegation by the chief strategist")
    func delegations() {
        let delegations = Self.plan("Help us").delegations
        #expect(delegations.allSatisfy { $0.from == "chief_strategist" })
        #expect(delegations.reduce(0) { $0 + $1.count } == 7)
        #expect(delegations.map(\.to) == delegations.map(\.to).sorted())
    }
}

@Suite("Plans from given tasks")
struct GivenPlanTests {
    private func complete(_ task: CrewTask) throws -> PlannedTask {
        try #require(DefaultPlanTests.plan("P", given: [task]).tasks.first)
    }

    @Test("A missing rubric comes from the title, else from the agent; a missing agent from the rubric")
    func completion() throws {
        let byTitle = try complete(CrewTask(id: "a", title: "Risk assessment"))
        #expect(byTitle.rubric == .risk && byTitle.agentSlug == "risk_compliance_analyst")
        let byAgent = try complete(CrewTask(id: "a", title: "Something", agent: "technology_architect"))
        #expect(byAgent.rubric == .technical && byAgent.agentSlug == "technology_architect")
        let neither = try complete(CrewTask(id: "a", title: "Something"))
        #expect(neither.rubric == .analytical && neither.agentSlug == "research_intelligence_analyst")
        let given = try complete(CrewTask(id: "a", title: "Risk", agent: "content_strategist", rubric: .creative))
        #expect(given.rubric == .creative && given.agentSlug == "content_strategist")
    }

    @Test("A missing file name is the id with dashes, and never one that is taken")
    func filenames() {
        let given = [
            CrewTask(id: "a_b", title: "A"), CrewTask(id: "a-b", title: "B"),
            CrewTask(id: "c", title: "C", filename: "d.md"), CrewTask(id: "d", title: "D"),
            CrewTask(id: "_run", title: "E"),
        ]
        let names = DefaultPlanTests.plan("P", given: given).tasks.map(\.filename)
        #expect(names == ["a-b.md", "a-b-2.md", "d.md", "d-2.md", "run.md"])
    }

    @Test("Given tasks are never left out, whatever the budget")
    func budget() {
        let given = (0..<20).map { CrewTask(id: "t\($0)", title: "Strategy", optional: true) }
        let plan = DefaultPlanTests.plan("P", given: given, budget: 0.01)
        #expect(plan.tasks.count == 20 && plan.dropped.isEmpty && plan.archetype == nil)
        #expect(plan.log(budget: NanoUSD(nanos: 10_000_000)).hasPrefix("Plan: 20 tasks as given: t0, "))
    }

    @Test("A simulated task is estimated at what it says it costs")
    func simulated() {
        let given = [CrewTask(id: "a", title: "A", simulate: Simulation(cost: NanoUSD(nanos: 100)))]
        let estimate = DefaultPlanTests.plan("P", given: given).estimate
        #expect(estimate == PlanEstimate(expected: NanoUSD(nanos: 100), worst: NanoUSD(nanos: 100)))
    }
}
