import Crew
import Domain
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// What befalls a run while colleagues answer: faults, a lost worker, stop and pause.
@Suite("Questions under way")
struct DelegationFaultTests {
    /// Works until the questions wait for their answers.
    private func asked(_ house: CrewHouse) async throws -> Run.ID {
        let run = try await house.startOne()
        try await house.work(kind: .crewStep)
        #expect(try await house.tasks(run) == ["a waiting", "a.ask1 ready", "a.ask2 ready"])
        return run
    }

    private func task(of job: ClaimedJob, _ house: CrewHouse) async throws -> String {
        try await house.text("SELECT payload->>'task' FROM jobs WHERE id = \(job.id)")
    }

    @Test("A question that nobody can answer only cuts its edge: the document is written with the other answer")
    func failing() async throws {
        let model = AskingCrew.model { request throws(ModelFault) in
            if AskingCrew.user(request).contains(AskingCrew.price) { throw .badRequest("no") }
            return AskingCrew.answer
        }
        let house = try await CrewHouse.open([model])
        let run = try await asked(house)
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(try await house.tasks(run) == ["a completed", "a.ask1 failed", "a.ask2 completed"])
        let last = AskingCrew.user(try #require(model.requests.last))
        #expect(last.contains("D1 Product Strategist") && !last.contains("D2 "))
        #expect(try await house.lines(run).contains { $0.contains("Task failed: a.ask1") })
        try await house.checkMoney()
        await house.world.close()
    }

    @Test("A question whose job died is given up, and the task that asked goes on")
    func dead() async throws {
        let house = try await CrewHouse.open([AskingCrew.model()])
        let run = try await asked(house)
        let job = try #require(try await house.claim(kind: .crewStep).first)
        let question = try await task(of: job, house)
        _ = try await house.world.postgres.pipeline([
            """
            UPDATE jobs SET state = 'dead', dead_reason = 'poison', session = NULL, finished_at = clock_timestamp()
            WHERE id = \(job.id)
            """,
            """
            UPDATE run_tasks SET ready_at = ready_at - interval '1 minute',
              started_at = started_at - interval '1 minute' WHERE run_id = \(run)
            """,
            "UPDATE runs SET started_at = started_at - interval '1 minute' WHERE id = \(run)",
            "UPDATE jobs SET state = 'queued', session = NULL WHERE state = 'running'",
        ])
        try await CrewRecovery(house.world.queue, logger: house.world.logger).run()
        try await house.finish(run)
        let tasks = try await house.tasks(run)
        #expect(tasks.contains("\(question) failed") && tasks.count { $0.hasSuffix(" completed") } == 2)
        await house.world.close()
    }

    @Test("A question that lands in a pause waits for the resume, which goes on with what is left each time")
    func paused() async throws {
        let model = AskingCrew.model()
        let house = try await CrewHouse.open([model])
        let run = try await house.startOne()
        let step = try #require(try await house.claim(kind: .crewStep).first)
        let control = RunControl(house.world.queue)
        let (id, caller) = (try await house.engagement(of: run), try await house.caller())
        // As if the pause fell into the call: the question lands, and nobody is asked before the resume.
        let pausing = ScriptedModel { request, _ throws(ModelFault) in ScriptedModel.reply(AskingCrew.two, to: request)
        }
        let other = try await CrewHouse.open(
            [PausingModel(pausing) { _ = try? await control.pause(id, for: caller) }],
            on: house
        )
        try await other.run(step)
        #expect(try await house.status(run) == "paused")
        #expect(try await house.tasks(run) == ["a waiting", "a.ask1 ready", "a.ask2 ready"])
        #expect(try await house.claim(kind: .crewStep).isEmpty)
        #expect(try await control.resume(id, for: caller) == .done(run))
        let jobs = try await house.claim(kind: .crewStep)
        #expect(jobs.count == 2)
        let first = try #require(jobs.first)
        try await house.run(first)
        #expect(try await control.pause(id, for: caller) == .done(run))
        try await house.run(try #require(jobs.last))
        let snapshot = try await house.text("SELECT pause_snapshot->>'completedTasks' FROM runs WHERE id = \(run)")
        let answered = try await task(of: first, house)
        #expect(snapshot == "[\"\(answered)\"]")
        #expect(try await control.resume(id, for: caller) == .done(run))
        try await house.finish(run)
        #expect(try await house.tasks(run) == ["a completed", "a.ask1 completed", "a.ask2 completed"])
        #expect(model.requests.count == 3)
        try await house.checkMoney()
        try await house.checkEvents(run)
        await house.world.close()
    }

    @Test("A stop ends questions under way: no answer lands, and nothing stays reserved")
    func stopped() async throws {
        let model = AskingCrew.model()
        let house = try await CrewHouse.open([model])
        let run = try await asked(house)
        let jobs = try await house.claim(kind: .crewStep)
        let (id, caller) = (try await house.engagement(of: run), try await house.caller())
        #expect(try await RunControl(house.world.queue).stop(id, for: caller) == .done(run))
        for job in jobs { try await house.run(job) }
        #expect(try await house.error(run) == RunControls.stopped)
        #expect(try await house.tasks(run) == ["a skipped", "a.ask1 skipped", "a.ask2 skipped"])
        #expect(model.requests.count == 1)
        try await house.checkMoney()
        await house.world.close()
    }
}

/// A model in whose first call something happens.
private final class PausingModel: LanguageModel {
    let id: String
    private let model: ScriptedModel
    private let event: @Sendable () async -> Void

    init(_ model: ScriptedModel, _ event: @escaping @Sendable () async -> Void) {
        id = model.id
        self.model = model
        self.event = event
    }

    func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        await event()
        return try await model.complete(request, onText: onText)
    }
}
