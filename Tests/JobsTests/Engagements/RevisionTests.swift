import Crew
import Domain
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// A document that scores low is written once more (engine 3.8).
@Suite("Revisions after a low score")
struct RevisionTests {
    private static let draft =
        "# First\n\nThe market grew by 12 % in 2024. Customers in suburbs buy most of the robots, because their gardens are "
        + "large and time is short there. Nobody has counted how many robots are returned, so demand may well be lower."
    private static let better = draft + "\n\nReturns were 4 % of sales, says the trade."

    /// A judge's answer that gives each criterion the same score.
    private static func judgement(_ score: Int) -> String {
        let criteria = Rubric.analytical.criteria.map { criterion -> JSON in
            ["name": .string(criterion.name), "score": .integer(score), "quote": "grew by 12 %"]
        }
        return JSON.object(["criteria": .array(criteria), "feedback": "Say how many are returned."]).text
    }

    /// Scores the first version 4 and what was revised 8, or always 4.
    private func model(isNeverGood: Bool = false) -> ScriptedModel {
        ScriptedModel { request, _ throws(ModelFault) in
            let prompt = request.messages.map(\.text).joined(separator: "\n")
            if prompt.contains("You judge a document") {
                let isBetter = prompt.contains("says the trade") && !isNeverGood
                return ScriptedModel.reply(Self.judgement(isBetter ? 8 : 4), to: request)
            }
            let isRevision = prompt.contains("# What the reviewer says (4.0 of 10)")
            return ScriptedModel.reply(isRevision ? Self.better : Self.draft, to: request)
        }
    }

    private func versions(_ house: CrewHouse, _ run: Run.ID) async throws -> [String] {
        try await house.world.postgres.query(
            "SELECT content FROM deliverables WHERE run_id = \(run) AND task_id = 'a' ORDER BY version"
        ).map { try $0.decode(String.self) }
    }

    /// Works until the revision's job waits, and claims it.
    private func claimRevision(_ house: CrewHouse) async throws -> ClaimedJob {
        try await eventually(within: .seconds(20), "the revision's job") {
            for kind in [JobKind.startCrew, .crewStep, .observeTask] { try await house.work(kind: kind) }
            return try await house.world.count("kind = 'crew.revise' AND state = 'queued'") == 1
        }
        return try #require(try await house.claim(kind: .reviseTask).first)
    }

    @Test(
        "A low score leads to one new version by the observer's notes; it is judged again, and only then the run ends"
    )
    func revised() async throws {
        let model = model()
        let house = try await CrewHouse.open([model], observer: .model)
        let run = try await house.startOne()
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(try await versions(house, run) == [Self.draft, Self.better])
        let score = try await house.number("SELECT tenths FROM quality_scores WHERE run_id = \(run)")
        #expect(score == 80)
        let request = try #require(model.requests.first { $0.messages.last?.text.contains("reviewer") == true })
        #expect(request.messages.last?.text.contains("Say how many are returned.") == true)
        #expect(request.messages.last?.text.contains("large and time is short there") == true)
        let log = try await house.log(run)
        #expect(log.contains("Scored a: 4.0 of 10 (analytical); it will be revised once"))
        #expect(log.contains("Revised task: a") && log.contains("Scored a: 8.0 of 10"))
        #expect(model.requests.count == 4)
        try await house.checkMoney()
        await house.world.close()
    }

    @Test("A document that is no better the second time stays, and is not written a third time")
    func once() async throws {
        let model = model(isNeverGood: true)
        let house = try await CrewHouse.open([model], observer: .model)
        let run = try await house.startOne()
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(try await versions(house, run).count == 2 && model.requests.count == 4)
        await house.world.close()
    }

    @Test("K4, K9: a revision that is delivered twice writes one version, and the older attempt writes nothing")
    func redelivered() async throws {
        let model = model()
        let house = try await CrewHouse.open([model], observer: .model)
        let run = try await house.startOne()
        let stale = try await claimRevision(house)
        _ = try await house.world.postgres.query(
            "UPDATE jobs SET state = 'queued', session = NULL WHERE id = \(stale.id)"
        )
        let job = try #require(try await house.claim(kind: .reviseTask).first)
        #expect(job.id == stale.id && job.attempt == stale.attempt + 1)
        try await house.run(stale)
        #expect(try await versions(house, run).count == 1)
        try await house.run(job)
        try await house.run(job)
        #expect(try await versions(house, run).count == 2)
        try await house.finish(run)
        #expect(try await versions(house, run).count == 2)
        #expect(model.requests.count == 4)
        try await house.checkMoney()
        await house.world.close()
    }

    @Test("K3: a worker that is lost in the middle of a revision leaves its call charged, and the next one writes it")
    func lost() async throws {
        let house = try await CrewHouse.open([model()], observer: .model, isFree: false)
        let run = try await house.startOne()
        let job = try await claimRevision(house)
        let draft = RunLedger.CallDraft(
            run: run,
            task: "a",
            job: job.id,
            attempt: job.attempt,
            agent: "s",
            model: "test-model",
            reason: "context",
            reservation: NanoUSD(nanos: 1_000)
        )
        _ = try await house.world.postgres.query(RunLedger.beginRevision(draft))
        _ = try await house.world.postgres.query(
            "UPDATE jobs SET state = 'queued', session = NULL, losses = 1 WHERE id = \(job.id)"
        )
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(try await versions(house, run) == [Self.draft, Self.better])
        let unknown = try await house.number(
            "SELECT coalesce(sum(cost_nanos), 0)::bigint FROM llm_calls WHERE run_id = \(run) AND state = 'unknown'"
        )
        #expect(unknown == 1_000)
        try await house.checkMoney()
        await house.world.close()
    }

    @Test("Where the budget is spent the document stays as it is, the log says so, and the run completes")
    func budget() async throws {
        let model = model()
        let house = try await CrewHouse.open([model], observer: .model, isFree: false)
        let run = try await house.startOne()
        let job = try await claimRevision(house)
        _ = try await house.world.postgres.query("UPDATE runs SET budget_nanos = spent_nanos + 1 WHERE id = \(run)")
        try await house.run(job)
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(try await versions(house, run) == [Self.draft])
        #expect(try await house.log(run).contains("No revision of a: the budget allows no revision"))
        await house.world.close()
    }

    @Test("A threshold of 0 asks for no revision")
    func off() async throws {
        let model = model()
        let house = try await CrewHouse.open([model], observer: .model, reviseBelow: 0)
        let run = try await house.startOne()
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(try await versions(house, run).count == 1 && model.requests.count == 2)
        await house.world.close()
    }

    @Test("A revision whose job died is given up: the run ends")
    func dead() async throws {
        let house = try await CrewHouse.open([model()], observer: .model)
        let run = try await house.startOne()
        let job = try await claimRevision(house)
        _ = try await house.world.postgres.pipeline([
            """
            UPDATE jobs SET state = 'dead', dead_reason = 'poison', session = NULL, finished_at = clock_timestamp()
            WHERE id = \(job.id)
            """,
            "UPDATE runs SET started_at = started_at - interval '1 minute' WHERE id = \(run)",
        ])
        try await CrewRecovery(house.world.queue, logger: house.world.logger).run()
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        await house.world.close()
    }
}
