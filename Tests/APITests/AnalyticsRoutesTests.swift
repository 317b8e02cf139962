import Domain
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// Who did what in a run, over real HTTP.
@Suite("Analytics API")
struct AnalyticsRoutesTests {
    /// A task that `agent` did with `model`, in one failed and one booked call.
    private func add(
        _ task: String,
        _ agent: String,
        _ model: String,
        to run: Run.ID,
        of house: LiveHouse,
        config: JSON = [:]
    ) async throws {
        let row = RunLedger.TaskRow(id: task, agent: agent, config: config.text, dependsOn: [], optional: false)
        _ = try await house.world.postgres.pipeline([
            RunLedger.addTasks([row], to: run),
            "UPDATE run_tasks SET model = \(model), steps = 1 WHERE run_id = \(run) AND task_id = \(task)",
            """
            INSERT INTO llm_calls (run_id, task_id, tenant_id, job_id, attempt, agent_slug, model, reason, state,
                                   reserved_nanos, cost_nanos)
            SELECT id, \(task), tenant_id, 1, n, \(agent), \(model), 'default', 'settled', 0, n * 1000000
            FROM runs, generate_series(1, 2) n WHERE id = \(run)
            """,
            "UPDATE runs SET spent_nanos = spent_nanos + 3000000 WHERE id = \(run)",
        ])
    }

    @Test("E-53, SC-16: agents, delegations and routes of a completed run; the costs add up to what it spent")
    func completed() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        try await add("a", "market_insights_analyst", "m-1", to: run, of: house)
        try await add("b", "market_insights_analyst", "m-2", to: run, of: house)
        try await add("c", "chief_strategist", "m-2", to: run, of: house)
        try await house.finish(run)
        // E-54: a second run that is still at work changes nothing.
        _ = try await house.start(id)
        try await house.serve(house.world) { port, _ in
            let answer = try await house.get(port, "/api/engagements/\(id)/analytics")
            #expect(answer.status == 200)
            let analyst: JSON = [
                "slug": "market_insights_analyst", "role": "Market Insights Analyst", "department": "Research",
                "steps": 2, "models": [["model": "m-1", "taskCount": 1], ["model": "m-2", "taskCount": 1]],
            ]
            #expect(answer.body["agents"]?.arrayValue?.count == 2 && answer.body["agents"]?.arrayValue?[0] == analyst)
            #expect(
                answer.body["delegations"] == [
                    ["from": "chief_strategist", "to": "market_insights_analyst", "count": 2]
                ]
            )
            let routes = try #require(answer.body["modelRouting"]?.arrayValue)
            let keys: Set = [
                "taskId", "agentSlug", "agentRole", "department", "selectedModel", "observerScore", "cost",
            ]
            #expect(routes.allSatisfy { Set($0.objectValue?.keys.map(\.self) ?? []) == keys })
            let costs = routes.compactMap { $0["cost"]?.doubleValue }.reduce(0, +)
            #expect(routes.map { $0["taskId"] } == ["a", "b", "c"] && abs(costs - 0.009) < 1e-12)
        }
        await house.world.close()
    }

    @Test("E-53: a question to a colleague counts for the agent that asked, and has its own row of cost")
    func questions() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        let asked: JSON = ["askedBy": "a"]
        try await add("a", "market_insights_analyst", "m-1", to: run, of: house)
        try await add("b", "chief_strategist", "m-1", to: run, of: house)
        try await add("a.ask1", "pricing_strategist", "m-1", to: run, of: house, config: asked)
        try await add("a.ask2", "pricing_strategist", "m-2", to: run, of: house, config: asked)
        try await add("b.ask1", "market_insights_analyst", "m-1", to: run, of: house, config: ["askedBy": "b"])
        try await house.finish(run)
        try await house.serve(house.world) { port, _ in
            let answer = try await house.get(port, "/api/engagements/\(id)/analytics")
            #expect(
                answer.body["delegations"] == [
                    ["from": "chief_strategist", "to": "market_insights_analyst", "count": 2],
                    ["from": "market_insights_analyst", "to": "pricing_strategist", "count": 2],
                ]
            )
            let routes = try #require(answer.body["modelRouting"]?.arrayValue)
            let costs = routes.compactMap { $0["cost"]?.doubleValue }.reduce(0, +)
            #expect(routes.count == 5 && abs(costs - 0.015) < 1e-12)
        }
        await house.world.close()
    }

    @Test("E-54: three empty arrays before a run is completed; an unknown engagement is 404")
    func none() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        try await house.finish(run, as: .failed)
        try await house.serve(house.world) { port, _ in
            let answer = try await house.get(port, "/api/engagements/\(id)/analytics")
            #expect(answer.body == ["agents": [], "delegations": [], "modelRouting": []])
            #expect(try await house.get(port, "/api/engagements/cnone/analytics").status == 404)
        }
        await house.world.close()
    }
}
