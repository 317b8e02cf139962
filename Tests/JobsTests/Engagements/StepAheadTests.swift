import Crew
import Domain
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// A chain of steps on one worker: the transaction that ends one books the first call of the next.
@Suite("Steps that follow on the same worker")
struct StepAheadTests {
    private static let chain: JSON = [
        ["id": "a", "title": "First", "rubric": "analytical"],
        ["id": "b", "title": "Second", "rubric": "analytical", "dependsOn": ["a"]],
    ]

    private static func model() -> ScriptedModel {
        ScriptedModel { request, number throws(ModelFault) in
            ScriptedModel.reply("# Document \(number)\n\nAn answer.", to: request)
        }
    }

    /// What is left when the first step has ended and handed over.
    private struct Handed {
        let house: CrewHouse
        let run: Run.ID
        let handOver: HandOver
        let next: ClaimedJob

        /// - Parameter between: what happens to the run while its first step is at work.
        static func over(
            _ model: ScriptedModel,
            isFree: Bool = true,
            _ between: (CrewHouse, Run.ID) async throws -> Void = { _, _ in }
        ) async throws -> Handed {
            let house = try await CrewHouse.open([model], isFree: isFree)
            let run = try await house.start(chain)
            try await house.work(kind: .startCrew)
            let first = try #require(try await house.claim(kind: .crewStep).first)
            try await between(house, run)
            let handOver = HandOver { house.session }
            try await house.run(first, handOver: handOver)
            let next = try #require(handOver.take().first)
            return Handed(house: house, run: run, handOver: handOver, next: next)
        }

        /// As the reaper leaves a job whose worker was lost, or a worker that stops.
        func giveBack() async throws {
            _ = try await house.world.postgres.query(
                "UPDATE jobs SET state = 'queued', session = NULL WHERE id = \(next.id)"
            )
        }

        func calls(_ state: String) async throws -> Int {
            try await house.number(
                "SELECT count(*) FROM llm_calls WHERE run_id = \(run) AND task_id = 'b' AND state = \(state)"
            )
        }

        func close() async throws {
            try await house.finish(run)
            #expect(try await house.status(run) == "completed")
            let starts = try await house.log(run).split(separator: "\n").filter { $0.hasSuffix("Starting task: b") }
            #expect(starts.count == 1)
            try await house.checkMoney()
            await house.world.close()
        }
    }

    @Test("The next call is booked by the commit that writes the document before it, and the follow-up makes it")
    func oneCommit() async throws {
        let model = Self.model()
        let handed = try await Handed.over(model)
        let house = handed.house
        let together = try await house.number(
            """
            SELECT count(*) FROM llm_calls c JOIN deliverables d ON d.run_id = c.run_id AND d.xmin::text = c.xmin::text
            WHERE c.task_id = 'b' AND c.state = 'open' AND d.task_id = 'a'
            """
        )
        #expect(together == 1 && model.requests.count == 1)
        try await house.run(handed.next, handOver: HandOver(brought: handed.handOver.sent) { nil })
        #expect(model.requests.count == 2)
        #expect(model.requests.last?.messages.last?.text.contains("Document 1") == true, "it builds on the first")
        #expect(try await handed.calls("settled") == 1)
        try await handed.close()
        #expect(model.requests.count == 2)
    }

    @Test("A worker that stops before the booked call gives its money back; the next one makes the call")
    func abandoned() async throws {
        let model = Self.model()
        let handed = try await Handed.over(model, isFree: false)
        try await #require(handed.handOver.sent as? any Abandonable).abandon()
        #expect(try await handed.house.number("SELECT reserved_nanos FROM runs WHERE id = \(handed.run)") == 0)
        try await handed.giveBack()
        try await handed.close()
        #expect(model.requests.count == 2)
    }

    @Test("K2: a worker lost with a call booked ahead leaves it charged, and one more is made")
    func lost() async throws {
        let model = Self.model()
        let handed = try await Handed.over(model, isFree: false)
        try await handed.giveBack()
        try await handed.house.finish(handed.run)
        #expect(try await handed.calls("unknown") == 1)
        #expect(model.requests.count == 2)
        try await handed.close()
    }

    @Test("Where the step has to look first, nothing is booked ahead, and the follow-up begins from the start")
    func notAhead() async throws {
        let model = Self.model()
        let handed = try await Handed.over(model) { house, _ in
            let account = ProviderMarks.Account(provider: "anthropic", id: "other")
            let note = ProviderMarks.fault(account, threshold: 9, probeEvery: .seconds(10), model: "m", reason: "r")
            _ = try await house.world.postgres.query(note)
        }
        #expect(try await handed.calls("open") == 0)
        try await handed.house.run(handed.next, handOver: HandOver(brought: handed.handOver.sent) { nil })
        #expect(try await handed.calls("settled") == 1)
        try await handed.close()
        #expect(model.requests.count == 2)
    }
}
