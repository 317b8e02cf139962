import Crew
import Domain
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// A worker that is lost at a certain point of a step, told by the ledger's own states: rows K of the engine's kill matrix.
@Suite("Steps whose worker is lost")
struct LostStepTests {
    private func model(output: Int = 100) -> ScriptedModel {
        ScriptedModel { request, _ throws(ModelFault) in
            ScriptedModel.reply("# First\n\nAn answer.", to: request, output: output)
        }
    }

    /// As the reaper leaves a job whose worker was lost.
    private func lose(_ job: ClaimedJob, _ house: CrewHouse) async throws {
        _ = try await house.world.postgres.query(
            "UPDATE jobs SET state = 'queued', session = NULL, losses = losses + 1 WHERE id = \(job.id)"
        )
    }

    private func documents(_ house: CrewHouse, _ run: Run.ID) async throws -> Int {
        try await house.number("SELECT count(*) FROM deliverables WHERE run_id = \(run) AND task_id <> '_report'")
    }

    /// Nothing is twice, no event is missing, and the money adds up.
    private func check(_ house: CrewHouse, _ run: Run.ID) async throws {
        #expect(try await house.status(run) == "completed")
        #expect(try await documents(house, run) == 1)
        let gaps = try await house.number(
            "SELECT count(*) FROM runs r WHERE last_seq <> (SELECT count(*) FROM run_events WHERE run_id = r.id)"
        )
        #expect(gaps == 0)
        try await house.checkMoney()
    }

    @Test("K1: lost after the claim, before anything was reserved: the next attempt makes the one call")
    func afterClaim() async throws {
        let model = model()
        let house = try await CrewHouse.open([model])
        let run = try await house.startOne()
        let job = try #require(try await house.claim(kind: .crewStep).first)
        try await lose(job, house)
        try await house.finish(run)
        #expect(model.requests.count == 1)
        try await check(house, run)
        await house.world.close()
    }

    @Test("K2 to K5: lost with a call reserved, sent or answered but not booked: it stays charged, one more is made")
    func afterReservation() async throws {
        let model = model()
        let house = try await CrewHouse.open([model], isFree: false)
        let run = try await house.startOne()
        let job = try #require(try await house.claim(kind: .crewStep).first)
        let draft = RunLedger.CallDraft(
            run: run,
            task: "a",
            job: job.id,
            attempt: job.attempt,
            agent: "s",
            model: "test-model",
            reason: "default",
            reservation: NanoUSD(nanos: 7_000)
        )
        _ = try await house.world.postgres.query(RunLedger.begin(draft, announcing: []))
        try await lose(job, house)
        try await house.finish(run)
        let unknown = try await house.number(
            "SELECT sum(cost_nanos)::bigint FROM llm_calls WHERE run_id = \(run) AND state = 'unknown'"
        )
        #expect(unknown == 7_000 && model.requests.count == 1)
        try await check(house, run)
        await house.world.close()
    }

    @Test("K6, K9: lost after the booking, and delivered again: the second delivery asks no model and writes nothing")
    func afterBooking() async throws {
        let model = model()
        let house = try await CrewHouse.open([model])
        let run = try await house.startOne()
        let job = try #require(try await house.claim(kind: .crewStep).first)
        try await house.run(job)
        try await lose(job, house)
        try await house.work(kind: .crewStep)
        #expect(model.requests.count == 1)
        try await house.finish(run)
        try await check(house, run)
        await house.world.close()
    }

    @Test("K10: lost in the run's last job, and delivered twice: one report, one end")
    func whileFinishing() async throws {
        let house = try await CrewHouse.open([model()])
        let run = try await house.startOne()
        try await house.work(kind: .crewStep)
        let stale = try #require(try await house.claim(kind: .finishCrew).first)
        try await lose(stale, house)
        let job = try #require(try await house.claim(kind: .finishCrew).first)
        try await house.run(stale)
        #expect(try await house.status(run) == "running", "the older attempt is fenced")
        try await house.run(job)
        try await house.run(job)
        let reports = try await house.number(
            "SELECT count(*) FROM deliverables WHERE run_id = \(run) AND task_id = '_report'"
        )
        #expect(reports == 3)
        try await check(house, run)
        await house.world.close()
    }

    @Test("F8: an answer that costs more than was set aside is charged in full, and nothing begins after it")
    func overrun() async throws {
        let model = model(output: 1_000_000)
        let house = try await CrewHouse.open([model], model: "gpt-4.1-nano")
        let tasks: JSON = [["id": "a", "title": "First"], ["id": "b", "title": "Second"]]
        let run = try await house.start(tasks, budget: NanoUSD(nanos: 100_000_000))
        try await house.finish(run)
        #expect(try await house.status(run) == "failed")
        #expect(model.requests.count == 1)
        let spent = try await house.number("SELECT spent_nanos FROM runs WHERE id = \(run)")
        #expect(spent == 1_000_000 * 400 + 100 * 100)
        #expect(try await house.error(run).hasPrefix("Budget exceeded ($0.40 of $0.10)"))
        #expect(try await documents(house, run) == 1)
        try await house.checkMoney()
        await house.world.close()
    }

    @Test("F12: eight tasks at once on a budget for a few: never above it, and what was written stays")
    func parallel() async throws {
        let model = ScriptedModel { request, _ throws(ModelFault) in
            ScriptedModel.reply("# T\n\nAn answer.", to: request, output: request.maxOutput)
        }
        let house = try await CrewHouse.open([model], model: "gpt-4.1-nano")
        let tasks = (1...8).map { number -> JSON in
            ["id": .string("t\(number)"), "title": "T", "dependsOn": [], "maxTokens": 2_000]
        }
        let run = try await house.start(.array(tasks), budget: NanoUSD(nanos: 2_800_000))
        try await house.finish(run)
        #expect(try await house.status(run) == "failed")
        let spent = try await house.number("SELECT spent_nanos FROM runs WHERE id = \(run)")
        #expect(spent <= 2_800_000)
        let written = try await documents(house, run)
        #expect((1...7).contains(written) && written == model.requests.count)
        #expect(try await house.error(run).hasPrefix("Budget exceeded"))
        try await house.checkMoney()
        await house.world.close()
    }
}
