import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// One document is made anew, by the jobs of a crew on a real database (contract S-33).
@Suite("A rerun of one document")
struct RerunTests {
    private static let two: JSON = [
        ["id": "loggers", "title": "What loggers cost", "description": "Say what a logger costs."],
        ["id": "plan", "title": "The plan", "description": "Plan it.", "dependsOn": ["loggers"]],
    ]

    private func caller(_ house: ContextHouse) async throws -> Caller {
        let accounts = house.world.stores.accounts
        let made = try await accounts.createKey(tenant: house.tenant, name: "k", scopes: [.readWrite], mode: .live)
        let key = try #require(made).plaintext
        return try #require(try await accounts.caller(key: key))
    }

    private func newest(_ house: ContextHouse, _ file: String) async throws -> Deliverable.ID {
        let found = try await house.column(
            "SELECT id FROM deliverables WHERE filename = \(file) ORDER BY version DESC LIMIT 1"
        )
        return ID(try #require(found.first))
    }

    private func rerun(_ house: ContextHouse, _ file: String, _ feedback: String?) async throws -> RunStore.Rerun {
        let (caller, document) = (try await caller(house), try await newest(house, file))
        return try await house.world.queue.transaction { transaction in
            let outcome = try await house.world.stores.runs.rerun(
                document,
                of: house.engagement,
                feedback: feedback,
                for: caller,
                in: transaction.sql
            )
            if case .started(let run) = outcome {
                try await transaction.enqueue(
                    StartCrew(run: run),
                    tenant: house.tenant.rawValue,
                    uniqueKey: StartCrew.uniqueKey(run)
                )
            }
            return outcome
        }
    }

    private func started(_ outcome: RunStore.Rerun) throws -> Run.ID {
        guard case .started(let run) = outcome else { throw NeverHappened(description: "\(outcome)") }
        return run
    }

    @Test(
        "S-33: its agent gets the wish, the version before and what the task builds on, and writes the next version alone"
    )
    func again() async throws {
        let model = RecordingModel(answer: "# The plan\n\nFirst words of the plan.")
        let house = try await ContextHouse.open(model: model)
        try await house.finish(house.startCrew(Self.two))
        let asked = model.requests.count
        let run = try started(await rerun(house, "plan.md", "Name a price."))
        try await house.finish(run)
        #expect(model.requests.count == asked + 1)
        let prompt = try #require(model.requests.last).messages.map(\.text).joined(separator: "\n")
        for words in [
            "asks: Name a price.", "What loggers cost", "The plan, the version before", "First words of the plan",
        ] {
            #expect(prompt.contains(words), "\(words)")
        }
        let versions = try await house.column(
            "SELECT version || ' ' || (run_id = \(run)) FROM deliverables WHERE filename = 'plan.md' ORDER BY version"
        )
        #expect(versions == ["1 false", "2 true"])
        let others = try await house.column(
            "SELECT filename FROM deliverables WHERE run_id = \(run) AND task_id <> '_report'"
        )
        #expect(others == ["plan.md"])
        let ends = try await house.column(
            "SELECT r.status || ' ' || e.status || ' ' || kind FROM runs r JOIN engagements e ON e.id = engagement_id WHERE r.id = \(run)"
        )
        #expect(ends == ["completed completed rerun"])
        let logs = try await house.column(
            "SELECT data->>'message' FROM run_events WHERE run_id = \(run) AND type = 'log'"
        )
        #expect(logs.contains { $0.contains("plan.md, version 1, is made anew") })
        #expect(logs.contains { $0.contains("Rerun of plan.md by") })
        await house.world.close()
    }

    @Test("S-33: a rerun of a rerun builds on the version that was asked about, and does not repeat the older wish")
    func twice() async throws {
        let model = RecordingModel(answer: "# The plan\n\nWords.")
        let house = try await ContextHouse.open(model: model)
        try await house.finish(house.startCrew(Self.two))
        for wish in ["Name a price.", "Name a day."] {
            try await house.finish(started(await rerun(house, "plan.md", wish)))
        }
        let prompt = try #require(model.requests.last).messages.map(\.text).joined(separator: "\n")
        #expect(prompt.contains("asks: Name a day.") && !prompt.contains("Name a price."))
        #expect(prompt.contains("What loggers cost"))
        #expect(
            try await house.column("SELECT max(version)::text FROM deliverables WHERE filename = 'plan.md'") == ["3"]
        )
        await house.world.close()
    }

    @Test(
        "S-33: it may spend what the whole run and earlier reruns have left; with nothing left, or no task, there is none"
    )
    func limits() async throws {
        let house = try await ContextHouse.open(model: RecordingModel(answer: "Words."))
        let first = try await house.startCrew()
        try await house.finish(first)
        _ = try await house.world.postgres.query("UPDATE runs SET spent_nanos = 3000000000 WHERE id = \(first)")
        let second = try started(await rerun(house, "loggers.md", nil))
        #expect(try await house.column("SELECT budget_nanos::text FROM runs WHERE id = \(second)") == ["2000000000"])
        guard case .alreadyRunning = try await rerun(house, "loggers.md", nil) else {
            throw NeverHappened(description: "two at once")
        }
        try await house.finish(second)
        _ = try await house.world.postgres.query("UPDATE runs SET spent_nanos = 2000000000 WHERE id = \(second)")
        guard case .budgetSpent(let spent, let budget) = try await rerun(house, "loggers.md", nil) else {
            throw NeverHappened(description: "nothing was left")
        }
        #expect(spent == budget)
        let report = try await house.column("SELECT filename FROM deliverables WHERE task_id = '_report' LIMIT 1")
        guard case .noTask = try await rerun(house, #require(report.first), nil) else {
            throw NeverHappened(description: "a report has no task")
        }
        await house.world.close()
    }

    @Test("S-33: a step that was delivered twice writes one version, and of a stopped rerun nothing is left")
    func fenced() async throws {
        let house = try await ContextHouse.open(model: RecordingModel(answer: "Words."))
        try await house.finish(house.startCrew())
        let run = try started(await rerun(house, "loggers.md", nil))
        for job in try await house.claim("crew") { _ = try await StartCrew.decode(job.payload).run(house.context(job)) }
        let step = try #require(try await house.claim("crew").first)
        // The same attempt, once more than it should be.
        _ = try await CrewStep.decode(step.payload).run(house.context(step))
        _ = try? await CrewStep.decode(step.payload).run(house.context(step))
        try await house.finish(run)
        let count: SQL = "SELECT count(*)::text FROM deliverables WHERE filename = 'loggers.md'"
        #expect(try await house.column(count) == ["2"])
        let stopped = try started(await rerun(house, "loggers.md", nil))
        let caller = try await caller(house)
        _ = try await RunControl(house.world.queue).stop(house.engagement, for: caller)
        for job in try await house.claim("crew") {
            _ = try await StartCrew.decode(job.payload).run(house.context(job))
        }
        #expect(try await house.column("SELECT count(*)::text FROM run_tasks WHERE run_id = \(stopped)") == ["0"])
        #expect(try await house.column(count) == ["2"])
        await house.world.close()
    }
}
