import Crew
import Domain
import Jobs
import LLM
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// A task asks colleagues before it writes (engine 3.9), by the jobs of a crew on a real database.
@Suite("Questions to colleagues")
struct DelegationTests {
    @Test("A task asks two colleagues, and its document is built on their answers; everything counts once")
    func asked() async throws {
        let model = AskingCrew.model()
        let house = try await CrewHouse.open([model], observer: .heuristic, isFree: false)
        let run = try await house.start([
            ["id": "a", "title": "First", "agent": "market_insights_analyst", "dependsOn": []],
            ["id": "b", "title": "Second", "agent": "executive_writer", "dependsOn": ["a"]],
        ])
        try await house.finish(run)
        #expect(
            try await house.tasks(run) == ["a completed", "b completed", "a.ask1 completed", "a.ask2 completed"]
        )
        #expect(try await house.documents(run) == ["a.md", "b.md"])
        try await checkPrompts(model)
        try await checkLog(house, run)
        try await checkAnalytics(house, run)
        let scored = try await house.number("SELECT count(*) FROM quality_scores WHERE run_id = \(run)")
        #expect(scored == 2)
        try await house.checkMoney()
        try await house.checkEvents(run)
        await house.world.close()
    }

    private func checkPrompts(_ model: ScriptedModel) async throws {
        let prompts = model.requests.map(AskingCrew.user)
        #expect(prompts.count == 5, "asks, two answers, two documents")
        let questions = model.requests.filter(AskingCrew.isQuestion)
        #expect(questions.count == 2 && !questions.contains(where: AskingCrew.offers))
        let last = try #require(prompts.last { $0.contains("Document: First") })
        #expect(last.contains("D1 Pricing Strategist: \(AskingCrew.price)\n\(AskingCrew.answer)"))
        #expect(last.contains("D2 Product Strategist: \(AskingCrew.features)"))
        #expect(!last.contains("# Asking colleagues"))
    }

    private func checkLog(_ house: CrewHouse, _ run: Run.ID) async throws {
        let lines = try await house.lines(run)
        for line in [
            "[market_insights_analyst] Starting task: a", "[pricing_strategist] Starting task: a.ask1",
            "[market_insights_analyst] a asks pricing_strategist: \(AskingCrew.price)",
            "[market_insights_analyst] a asks product_strategist: \(AskingCrew.features)",
            "[pricing_strategist] Answered a: a.ask1 (6 words)",
            "[engagement_manager] Run completed: 2 of 2 tasks",
        ] {
            #expect(lines.count { $0 == line } == 1, "\(line)")
        }
        let completed = try await house.text(
            """
            SELECT string_agg(data->>'taskId', ' ' ORDER BY seq) FROM run_events
            WHERE run_id = \(run) AND type = 'task_complete'
            """
        )
        #expect(completed == "a b")
    }

    private func checkAnalytics(_ house: CrewHouse, _ run: Run.ID) async throws {
        let engagement = try await house.engagement(of: run)
        let routed = try #require(try await house.world.stores.runs.routedTasks(of: engagement, house.tenant))
        #expect(routed.map(\.id) == ["a", "b", "a.ask1", "a.ask2"])
        let asker = "market_insights_analyst"
        #expect(routed.map(\.askedBy) == [nil, nil, asker, asker])
        let spent = try await house.number("SELECT spent_nanos FROM runs WHERE id = \(run)")
        #expect(routed.reduce(0) { $0 + Int($1.cost.nanos) } == spent && spent > 0)
        #expect(try await house.number("SELECT steps FROM runs WHERE id = \(run)") == 5)
        let review = try await house.text(
            "SELECT content FROM deliverables WHERE run_id = \(run) AND filename LIKE '\\_operations%'"
        )
        #expect(review.contains("| a | pricing_strategist | \(AskingCrew.price) | completed |"))
    }

    @Test("A step that is delivered again after it has asked asks no model, and no question is there twice")
    func redelivered() async throws {
        let model = AskingCrew.model()
        let house = try await CrewHouse.open([model])
        let run = try await house.startOne()
        let stale = try #require(try await house.claim(kind: .crewStep).first)
        _ = try await house.world.postgres.query(
            "UPDATE jobs SET state = 'queued', session = NULL, losses = 1 WHERE id = \(stale.id)"
        )
        let job = try #require(try await house.claim(kind: .crewStep).first)
        try await house.run(job)
        try await house.run(stale)
        // As if the worker had died before it could tell anybody.
        _ = try await house.world.postgres.query(
            "UPDATE jobs SET state = 'queued', session = NULL, losses = 2 WHERE id = \(stale.id)"
        )
        try await house.work(kind: .crewStep, oneByOne: true)
        try await house.finish(run)
        #expect(try await house.tasks(run) == ["a completed", "a.ask1 completed", "a.ask2 completed"])
        #expect(model.requests.count == 4)
        try await house.checkMoney()
        try await house.checkEvents(run)
        await house.world.close()
    }

    @Test("A task that only pretends asks by its `simulate`, and so do those who are asked")
    func simulated() async throws {
        let house = try await CrewHouse.open([SimulatedModel()], allowSimulation: true)
        let run = try await house.start([
            [
                "id": "a", "title": "First", "agent": "market_insights_analyst",
                "simulate": [
                    "costUsd": 0.1, "delegate": [["to": "pricing_strategist", "question": .string(AskingCrew.price)]],
                ],
            ]
        ])
        try await house.finish(run)
        #expect(try await house.tasks(run) == ["a completed", "a.ask1 completed"])
        #expect(try await house.number("SELECT spent_nanos FROM runs WHERE id = \(run)") == 300_000_000)
        let answer = try await house.text("SELECT answer FROM run_tasks WHERE run_id = \(run) AND task_id = 'a.ask1'")
        #expect(answer.contains("Simulated"))
        await house.world.close()
    }

    @Test("S-33: the rerun of a document whose task had asked may not ask, and adopts no answers")
    func rerun() async throws {
        let model = AskingCrew.model()
        let house = try await CrewHouse.open([model])
        let first = try await house.startOne()
        try await house.finish(first)
        let caller = try await house.caller()
        let engagement = try await house.engagement(of: first)
        let document = try await house.text("SELECT id FROM deliverables WHERE run_id = \(first) AND task_id = 'a'")
        let run = try await house.world.queue.transaction { transaction in
            let outcome = try await house.world.stores.runs.rerun(
                ID(document),
                of: engagement,
                feedback: nil,
                for: caller,
                in: transaction.sql
            )
            guard case .started(let run) = outcome else { throw NeverHappened(description: "\(outcome)") }
            try await transaction.enqueue(
                StartCrew(run: run),
                tenant: house.tenant.rawValue,
                uniqueKey: StartCrew.uniqueKey(run)
            )
            return run
        }
        try await house.finish(run)
        #expect(try await house.tasks(run) == ["a completed"])
        let prompt = try #require(model.requests.last)
        #expect(!AskingCrew.offers(prompt) && !AskingCrew.user(prompt).contains(AskingCrew.answer))
        #expect(model.requests.count == 5)
        await house.world.close()
    }
}
