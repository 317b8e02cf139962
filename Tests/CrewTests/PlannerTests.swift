import Crew
import Domain
import Testing

@Suite("Planning")
struct PlannerTests {
    private func plan(_ name: String, _ brief: String, given: [CrewTask] = [], budget: Double = 5) -> CrewPlan {
        let routing = CrewRouting(prices: PriceTable(), providers: ["openai"])
        return CrewPlanner.plan(
            name: name,
            brief: brief,
            given: given,
            budget: NanoUSD(dollars: budget) ?? .zero,
            estimator: PlanEstimator(routing: routing)
        )
    }

    @Test(
        "A brief's words decide the kind of engagement",
        arguments: [
            ("go_to_market", "Launch our b2b saas through a new channel, a go-to-market plan"),
            ("operations", "Cut cost and make the supply process and operations more efficient"),
            ("technology", "Cloud migration of our data platform and its architecture"),
            ("general", "Something else entirely"),
        ]
    )
    func archetypes(archetype: String, brief: String) {
        #expect(plan("Project", brief).archetype == archetype)
    }

    @Test("Every plan begins with the brief, is acyclic, and its dependencies exist")
    func sound() {
        for brief in ["launch go-to-market channel", "pricing packaging", "hr culture change", ""] {
            let tasks = plan("P", brief).tasks
            #expect(tasks.first?.id == "brief_analysis")
            var known: Set<String> = []
            for task in tasks {
                #expect(task.dependsOn.allSatisfy { known.contains($0) }, "\(task.id) in \(brief)")
                known.insert(task.id)
            }
            #expect(Set(tasks.map(\.filename)).count == tasks.count)
        }
    }

    @Test("A small budget drops optional tasks, and never the main document")
    func budget() {
        let rich = plan("P", "launch go-to-market channel b2b pricing")
        let poor = plan("P", "launch go-to-market channel b2b pricing", budget: 0.05)
        #expect(poor.tasks.count < rich.tasks.count)
        #expect(
            poor.tasks.contains { $0.id == "strategy_document" } && poor.tasks.contains { $0.id == "brief_analysis" }
        )
        #expect(!poor.dropped.isEmpty)
    }

    @Test("The same brief always gives the same plan")
    func deterministic() {
        #expect(plan("P", "launch").tasks == plan("P", "launch").tasks)
    }

    @Test("Given tasks without edges are a chain, with agents and file names filled in")
    func given() throws {
        let parsed = try CrewTask.parse(
            [["id": "market", "title": "Market"], ["id": "plan", "title": "Plan"]],
            knownAgents: AgentRoster.assignable
        )
        let tasks = plan("P", "x", given: parsed).tasks
        #expect(tasks.map(\.dependsOn) == [[], ["market"]])
        #expect(tasks.allSatisfy { !$0.agentSlug.isEmpty && $0.filename.hasSuffix(".md") })
    }
}

@Suite("Faults and money")
struct FaultAndPriceTests {
    private func verdict(_ fault: ModelFault, failures: Int = 0, uncounted: Int = 0) -> StepVerdict.Action {
        let history = StepHistory(failures: failures, uncounted: uncounted)
        return FaultPolicy.verdict(on: fault, history: history, jitter: 0.5).action
    }

    @Test("The fault table: one retry layer, and what is no rate limit is not taken for one")
    func table() {
        #expect(verdict(.rateLimited(retryAfter: .seconds(3))) == .retry(after: .seconds(3.5), isCounted: false))
        #expect(verdict(.rateLimited(retryAfter: .seconds(900))) == .failRun("Provider quota exhausted"))
        #expect(verdict(.quota) == .failRun("Provider quota exhausted"))
        #expect(verdict(.auth) == .failRun("Provider credentials rejected"))
        #expect(verdict(.server(status: 500)) == .retry(after: .seconds(0.5), isCounted: true))
        #expect(verdict(.contextTooLong(limit: 8192)) == .shrink)
        guard case .failTask = verdict(.server(status: 500), failures: 4) else {
            Issue.record("the fifth failure must end the task")
            return
        }
        guard case .failTask = verdict(.badRequest("no such model")) else {
            Issue.record("a bad request is never repeated")
            return
        }
    }

    @Test(
        "Cached tokens are priced as the provider bills them: 3, 12,304 written, 550 out at Sonnet's prices cost $0.0544"
    )
    func caching() {
        let usage = ModelUsage(uncachedInput: 3, cacheRead: 0, cacheWrite: 12_304, output: 550)
        let cost = PriceTable().price(of: "claude-sonnet-4-6", provider: "anthropic").cost(of: usage)
        #expect(cost.nanos == 54_399_000)
    }
}
