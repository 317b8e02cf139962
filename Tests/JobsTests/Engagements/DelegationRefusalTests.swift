import Crew
import Domain
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// Requests that give nobody work (engine 3.9, row F10).
@Suite("Questions that are refused")
struct DelegationRefusalTests {
    private static let everyone = AskingCrew.asking(
        AgentRoster.assignable.sorted().map { (to: $0, question: "What do you know?") }
    )

    /// Runs one task to its end.
    private func finished(_ house: CrewHouse) async throws -> Run.ID {
        let run = try await house.startOne()
        try await house.finish(run)
        try await house.checkMoney()
        return run
    }

    @Test("F10: a model that was talked into delegating to everyone gives nobody work, and writes its document")
    func everyone() async throws {
        let model = AskingCrew.model(Self.everyone)
        let house = try await CrewHouse.open([model], isFree: false)
        let run = try await finished(house)
        #expect(try await house.tasks(run) == ["a completed"])
        #expect(try await house.documents(run) == ["a.md"] && model.requests.count == 2)
        let second = try #require(model.requests.last)
        #expect(AskingCrew.wasRefused(second) && AskingCrew.user(second).contains("1 to 2 questions, not 19"))
        let lines = try await house.lines(run)
        #expect(
            lines.contains {
                $0.hasSuffix("a may not ask colleagues: \"delegate\" takes a list of 1 to 2 questions, not 19")
            }
        )
        #expect(lines.count { $0.hasSuffix("Starting task: a") } == 1)
        try await house.checkEvents(run)
        await house.world.close()
    }

    @Test("A second request in place of the document fails the task, and both calls are paid")
    func again() async throws {
        let model = ScriptedModel { request, _ throws(ModelFault) in ScriptedModel.reply(Self.everyone, to: request) }
        let house = try await CrewHouse.open([model], isFree: false)
        let run = try await finished(house)
        #expect(try await house.status(run) == "failed" && model.requests.count == 2)
        #expect(try await house.error(run).contains("the answer asks colleagues a second time"))
        #expect(try await house.documents(run).isEmpty)
        let paid = try await house.number("SELECT count(*) FROM llm_calls WHERE run_id = \(run) AND state = 'settled'")
        #expect(paid == 2)
        await house.world.close()
    }

    @Test("Who is asked cannot ask further: no loop forms")
    func depth() async throws {
        let further = AskingCrew.asking([("chief_strategist", "And you?")])
        let model = AskingCrew.model { AskingCrew.wasRefused($0) ? AskingCrew.answer : further }
        let house = try await CrewHouse.open([model])
        let run = try await finished(house)
        #expect(try await house.tasks(run) == ["a completed", "a.ask1 completed", "a.ask2 completed"])
        #expect(try await house.lines(run).count { $0.contains("may not ask colleagues: who answers") } == 2)
        #expect(model.requests.count == 6)
        await house.world.close()
    }

    @Test("A task that has its answers cannot ask again")
    func twice() async throws {
        let model = ScriptedModel { request, number throws(ModelFault) in
            if AskingCrew.isQuestion(request) { return ScriptedModel.reply(AskingCrew.answer, to: request) }
            let isLast = AskingCrew.wasRefused(request)
            return ScriptedModel.reply(isLast ? AskingCrew.document : AskingCrew.two, to: request)
        }
        let house = try await CrewHouse.open([model])
        let run = try await finished(house)
        #expect(try await house.tasks(run) == ["a completed", "a.ask1 completed", "a.ask2 completed"])
        #expect(try await house.lines(run).contains { $0.contains("the task has asked already") })
        // The answers are there in the last step too.
        #expect(AskingCrew.user(try #require(model.requests.last)).contains(AskingCrew.answer))
        await house.world.close()
    }

    @Test("Where delegation is off, or the budget has no room for answers, nobody is asked")
    func off() async throws {
        let model = ScriptedModel { request, _ throws(ModelFault) in
            ScriptedModel.reply(AskingCrew.wasRefused(request) ? AskingCrew.document : AskingCrew.two, to: request)
        }
        let house = try await CrewHouse.open([model], allowsDelegation: false)
        let first = try await finished(house)
        #expect(try await house.tasks(first) == ["a completed"])
        #expect(!model.requests.contains(where: AskingCrew.offers))
        #expect(try await house.lines(first).contains { $0.contains("asking colleagues is switched off") })
        let short = try await CrewHouse.open([model], on: house, model: "gpt-4.1-nano")
        let tasks: JSON = [["id": "a", "title": "First", "maxTokens": 1_000]]
        // Two calls fit into it one after the other, three at once do not.
        let second = try await short.start(tasks, budget: NanoUSD(nanos: 1_250_000))
        try await short.finish(second)
        #expect(try await short.tasks(second) == ["a completed"])
        #expect(try await short.lines(second).contains { $0.contains("the budget has no room for it") })
        await house.world.close()
    }

    @Test("A revision that asks instead of writing leaves the document as it is")
    func revision() async throws {
        let model = ScriptedModel { request, _ throws(ModelFault) in
            let prompt = request.messages.map(\.text).joined(separator: "\n")
            if prompt.contains("You judge a document") { return ScriptedModel.reply(Self.lowScore, to: request) }
            let isRevision = prompt.contains("# What the reviewer says")
            #expect(!isRevision || !AskingCrew.offers(request))
            return ScriptedModel.reply(isRevision ? AskingCrew.two : AskingCrew.document, to: request)
        }
        let house = try await CrewHouse.open([model], observer: .model)
        let run = try await finished(house)
        #expect(try await house.tasks(run) == ["a completed"])
        #expect(try await house.documents(run) == ["a.md"])
        #expect(
            try await house.lines(run).contains { $0.contains("No revision of a: the answer asks colleagues instead") }
        )
        await house.world.close()
    }

    private static let lowScore: String = {
        let criteria = Rubric.analytical.criteria.map { criterion -> JSON in
            ["name": .string(criterion.name), "score": 4, "quote": "The market is large"]
        }
        return JSON.object(["criteria": .array(criteria), "feedback": "Say more."]).text
    }()
}
