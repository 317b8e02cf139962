import Crew
import Domain
import Jobs
import PostgresClient
import Queue
import Stores
import Synchronization
import TestSupport
import Testing

/// Rates that the operator has set for a provider, as a crew keeps them (engine 3.2, 3.6).
@Suite("Rates of providers, for the whole fleet")
struct ProviderRateTests {
    /// Milliseconds that only the test moves.
    private final class Clock: Sendable {
        private let time = Mutex(1_800_000_000_000)
        var now: Int { time.withLock { $0 } }
        func pass(_ milliseconds: Int) { time.withLock { $0 += milliseconds } }
    }

    private static let words =
        "# First\n\nThe market grew by 12 % in 2024. Customers in suburbs buy most of the robots, because their gardens are "
        + "large and time is short there. Nobody has counted how many robots are returned, so demand may well be lower."

    private func table(requests: Int? = nil, tokens: Int? = nil) -> RateTable {
        RateTable([ModelRate(provider: "openai", requests: requests, tokens: tokens)])
    }

    private func model() -> ScriptedModel {
        ScriptedModel { request, _ throws(ModelFault) in ScriptedModel.reply(Self.words, to: request) }
    }

    @Test("60 requests a minute hold over two workers; who waits gives its slot back, spends nothing, and says so once")
    func requests() async throws {
        let (model, clock) = (model(), Clock())
        let house = try await CrewHouse.open([model], rates: table(requests: 60)) { clock.now }
        let other = try await CrewHouse.open([model], on: house, rates: table(requests: 60)) { clock.now }
        var runs: [Run.ID] = []
        for number in 0..<8 { runs.append(try await (number % 2 == 0 ? house : other).startOne()) }
        try await house.work(kind: .crewStep)
        #expect(model.requests.count == 4)
        let waiting: SQL = """
            kind = 'crew.step' AND state = 'queued' AND failures = 0 AND run_at > clock_timestamp()
              AND (run_at < clock_timestamp() + interval '61 seconds')
            """
        #expect(try await house.world.count(waiting) == 4)
        #expect(try await house.number("SELECT count(*) FROM llm_calls") == 4, "a call was booked that was not made")
        try await house.checkMoney()
        try await other.passWaits()
        try await other.work(kind: .crewStep)
        #expect(model.requests.count == 4, "the other worker has the same key")
        for (seconds, sum) in [(2, 5), (4, 7), (6, 8)] {
            clock.pass(2_000)
            try await other.passWaits()
            try await other.work(kind: .crewStep)
            #expect(model.requests.count == sum, "after \(seconds) s")
        }
        for run in runs {
            try await house.finish(run)
            #expect(try await house.status(run) == "completed")
        }
        #expect(try await house.world.count("failures > 0 OR losses > 0") == 0)
        let said = try await house.number(
            """
            SELECT count(*) FROM run_events WHERE type = 'log'
              AND data->>'message' LIKE '%] a: waiting for the provider openai: its rate of 60 requests a minute is used up'
            """
        )
        #expect(said == 4, "each of the four that waited says it once")
        #expect(try await house.number("SELECT count(*) FROM run_tasks WHERE held_since IS NOT NULL") == 0)
        try await house.checkMoney()
        await house.world.close()
    }

    @Test("A judgement and a revision take from the same rate as the document")
    func side() async throws {
        let clock = Clock()
        let criteria = Rubric.analytical.criteria.map { criterion -> JSON in
            ["name": .string(criterion.name), "score": .integer(4), "quote": "grew by 12 %"]
        }
        let judgement = JSON.object(["criteria": .array(criteria), "feedback": "Say more."]).text
        let model = ScriptedModel { request, _ throws(ModelFault) in
            let isJudge = request.messages.contains { $0.text.contains("You judge a document") }
            return ScriptedModel.reply(isJudge ? judgement : Self.words, to: request)
        }
        let house = try await CrewHouse.open([model], observer: .model, rates: table(requests: 1)) { clock.now }
        let run = try await house.startOne()
        for minute in 1...4 {
            for _ in 0..<3 {
                try await house.passWaits()
                try await house.work()
            }
            #expect(model.requests.count == minute, "draft, judgement, revision, judgement")
            clock.pass(60_000)
        }
        try await house.finish(run)
        #expect(try await house.status(run) == "completed" && model.requests.count == 4)
        #expect(try await house.log(run).contains("[quality_observer] a: waiting for the provider openai"))
        try await house.checkMoney()
        await house.world.close()
    }

    @Test(
        "A judge whose second try meets an empty bucket is given up: its first answer is not asked for and paid again"
    )
    func repair() async throws {
        let (model, clock) = (model(), Clock())
        let house = try await CrewHouse.open([model], observer: .model, rates: table(requests: 1)) { clock.now }
        let run = try await house.startOne()
        try await house.work(kind: .crewStep)
        clock.pass(60_000)
        try await house.finish(run)
        #expect(model.requests.count == 2)
        #expect(try await house.log(run).contains("No score for a: the judge's answer could not be used"))
        await house.world.close()
    }

    @Test(
        "Tokens that a call did not need are given back, all of them after a fault; the provider's word lowers the rate"
    )
    func tokens() async throws {
        let clock = Clock()
        let model = ScriptedModel { request, number throws(ModelFault) in
            if number == 1 { throw .server(status: 500) }
            var reply = ScriptedModel.reply("# First\n\nWords.", to: request)
            if number == 3 { reply.allowance = ModelAllowance(requests: 90, tokens: 12) }
            return reply
        }
        let house = try await CrewHouse.open([model], rates: table(requests: 1_000, tokens: 1_000_000)) { clock.now }
        func left(_ requests: Int, _ tokens: Int) async throws {
            try await eventually(within: .seconds(10), "\(requests) and \(tokens) to be left") {
                let view = try #require(try await house.queue.rates.list().first)
                return view.requestsLeft == requests && view.tokensLeft == tokens
            }
        }
        let first = try await house.startOne()
        try await house.work(kind: .crewStep)
        try await left(50, 1_000_000)
        try await house.passTime()
        try await house.work(kind: .crewStep)
        try await left(49, 999_800)
        let second = try await house.startOne()
        try await house.work(kind: .crewStep)
        try await left(48, 12)
        let third = try await house.startOne()
        try await house.work(kind: .crewStep)
        #expect(model.requests.count == 3)
        clock.pass(60_000)
        try await house.passWaits()
        for run in [first, second, third] {
            try await house.finish(run)
            #expect(try await house.status(run) == "completed")
        }
        #expect(model.requests.count == 4)
        let bucket = try #require(try await house.queue.rates.list().first).bucket
        #expect(bucket.name == "openai:key:all")
        await house.world.close()
    }

    @Test("A reservation that does not go through gives everything back")
    func unused() async throws {
        let (model, clock) = (model(), Clock())
        let house = try await CrewHouse.open([model], rates: table(requests: 1_000, tokens: 1_000_000)) { clock.now }
        let run = try await house.startOne()
        let step = try #require(try await house.claim(kind: .crewStep).first)
        // Another attempt owns the job by now.
        _ = try await house.world.postgres.query("UPDATE jobs SET attempt = attempt + 1 WHERE id = \(step.id)")
        try await house.run(step)
        #expect(model.requests.isEmpty)
        try await eventually(within: .seconds(10), "full buckets") {
            let view = try #require(try await house.queue.rates.list().first)
            return view.requestsLeft == 51 && view.tokensLeft == 1_000_000
        }
        #expect(try await house.status(run) == "running")
        await house.world.close()
    }

    @Test("Without a rate nothing is asked of Redis, and another group's rate does not count")
    func none() async throws {
        let rate = ModelRate(provider: "openai", group: "large", models: ["gpt-4.1"], requests: 1, tokens: nil)
        let model = model()
        let house = try await CrewHouse.open([model], rates: RateTable([rate]))
        for _ in 0..<3 {
            let run = try await house.startOne()
            try await house.finish(run)
            #expect(try await house.status(run) == "completed")
        }
        #expect(model.requests.count == 3)
        #expect(try await house.queue.rates.list().isEmpty)
        await house.world.close()
    }
}
