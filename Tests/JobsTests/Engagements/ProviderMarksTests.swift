import Crew
import Domain
import Jobs
import PostgresClient
import Stores
import TestSupport
import Testing

/// What one worker learns of a provider holds for all of them (engine 3.6; F1 to F5).
@Suite("Marks of providers, for the whole fleet")
struct ProviderMarksTests {
    /// Throws the fault for the first so many requests, then answers.
    private func model(_ id: String = "openai", failing fault: ModelFault, times: Int) -> ScriptedModel {
        ScriptedModel(id) { request, number throws(ModelFault) in
            if number <= times { throw fault }
            return ScriptedModel.reply("# First\n\nAn answer.", to: request)
        }
    }

    private func state(_ house: CrewHouse) async throws -> String {
        try await house.text(
            "SELECT coalesce(string_agg(provider || ' ' || state, ',' ORDER BY provider), '') FROM provider_marks"
        )
    }

    @Test("F1: a 429 with Retry-After holds every worker until then; one probe goes first, and no failure is counted")
    func rateLimit() async throws {
        let model = model(failing: .rateLimited(retryAfter: .seconds(4)), times: 1)
        let first = try await CrewHouse.open([model])
        let second = try await CrewHouse.open([model], on: first)
        let a = try await first.startOne()
        try await first.work(kind: .crewStep)
        #expect(model.requests.count == 1)
        #expect(try await state(first) == "openai paused")
        let b = try await second.startOne()
        try await second.work(kind: .crewStep)
        #expect(model.requests.count == 1, "another worker's step was held")
        try await second.finish(b)
        try await first.finish(a)
        #expect(try await first.status(a) == "completed")
        #expect(try await first.status(b) == "completed")
        #expect(model.moments[0].duration(to: model.moments[1]) >= .seconds(4))
        #expect(model.requests.count == 3)
        #expect(try await first.world.count("failures > 0") == 0)
        #expect(try await first.log(b).contains("waiting for the provider openai: the provider asks for fewer calls"))
        #expect(try await state(first) == "")
        try await first.checkMoney()
        await first.world.close()
    }

    @Test(
        "F2: under a 429 for ever one request goes out in each pause, whoever waits, and a held step counts no failure"
    )
    func forEver() async throws {
        let model = model(failing: .rateLimited(retryAfter: .seconds(50)), times: .max)
        let house = try await CrewHouse.open([model])
        let runs = [try await house.startOne(), try await house.startOne(), try await house.startOne()]
        try await house.work(kind: .crewStep, oneByOne: true)
        #expect(model.requests.count == 1)
        for window in 2...4 {
            try await house.passTime()
            try await house.work(kind: .crewStep)
            #expect(model.requests.count == window)
            try await house.passWaits()
            try await house.work(kind: .crewStep)
            #expect(model.requests.count == window)
        }
        #expect(try await house.world.count("failures > 0") == 0)
        for run in runs { #expect(try await house.status(run) == "running") }
        try await house.checkMoney()
        await house.world.close()
    }

    @Test("F4: five faults in a row open the breaker, one probe at a time closes it, and the cost is booked once")
    func breaker() async throws {
        let model = model(failing: .server(status: 500), times: 6)
        let house = try await CrewHouse.open([model])
        let runs = [try await house.startOne(), try await house.startOne()]
        for _ in 0..<2 {
            try await house.work(kind: .crewStep, oneByOne: true)
            try await house.passWaits()
        }
        #expect(try await state(house) == "openai counting")
        try await house.work(kind: .crewStep, oneByOne: true)
        #expect(try await state(house) == "openai broken")
        #expect(model.requests.count == 5, "the sixth step met the breaker")
        try await house.passTime()
        try await house.work(kind: .crewStep)
        #expect(model.requests.count == 6, "one probe goes out, and fails")
        #expect(try await state(house) == "openai broken")
        for run in runs {
            try await eventually(within: .seconds(20), "the run to end") {
                try await house.passTime()
                try await house.work()
                return try await house.status(run) != "running"
            }
            #expect(try await house.status(run) == "completed")
        }
        #expect(model.requests.count == 8)
        #expect(try await state(house) == "")
        #expect(try await house.number("SELECT count(*) FROM llm_calls WHERE state = 'settled'") == 2)
        try await house.checkMoney()
        await house.world.close()
    }

    @Test(
        "F5: a rejected key costs one request; later runs fail at once with a reason, until the key changes or is cleared"
    )
    func rejected() async throws {
        let model = model(failing: .auth, times: 1)
        let house = try await CrewHouse.open([model])
        let first = try await house.startOne()
        try await house.finish(first)
        #expect(try await house.error(first) == "Provider credentials rejected")
        let second = try await house.startOne()
        try await house.finish(second)
        #expect(model.requests.count == 1)
        let words = try await house.error(second)
        #expect(words.hasPrefix("Provider credentials rejected: openai") && words.contains("providers clear openai"))
        let other = try await CrewHouse.open([model], on: house, key: "another")
        let third = try await other.startOne()
        try await other.finish(third)
        #expect(try await house.status(third) == "completed")
        #expect(try await state(house) == "openai down")
        #expect(try await ProviderMarkStore(house.world.postgres).clear("openai") == 1)
        let fourth = try await house.startOne()
        try await house.finish(fourth)
        #expect(try await house.status(fourth) == "completed")
        await house.world.close()
    }

    @Test("F3: an empty account leads to the other provider's model at once, in one request each")
    func quota() async throws {
        let poor = model("openai", failing: .quota, times: .max)
        let rich = model("anthropic", failing: .quota, times: 0)
        let house = try await CrewHouse.open([poor, rich], model: nil)
        let run = try await house.startOne()
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(poor.requests.count == 1 && rich.requests.map(\.model) == ["claude-haiku-4-5"])
        #expect(try await house.text("SELECT route_reason FROM run_tasks WHERE run_id = \(run)") == "failover")
        await house.world.close()
    }

    @Test("A broken provider is passed over where the routing table has another one")
    func failover() async throws {
        let broken = model("openai", failing: .server(status: 503), times: .max)
        let healthy = model("anthropic", failing: .empty, times: 0)
        let house = try await CrewHouse.open([broken, healthy], model: nil)
        _ = try await house.world.postgres.query(
            """
            INSERT INTO provider_marks (provider, account, state, until, reason)
            VALUES ('openai', 'key', 'broken', clock_timestamp() + interval '9 seconds', 'it answered 503')
            """
        )
        let run = try await house.startOne()
        try await house.finish(run)
        #expect(try await house.status(run) == "completed")
        #expect(broken.requests.isEmpty && healthy.requests.count == 1)
        await house.world.close()
    }

    @Test("After ten minutes of waiting for its only provider a run fails and says for whom")
    func patience() async throws {
        let model = model(failing: .rateLimited(retryAfter: .seconds(60)), times: .max)
        let house = try await CrewHouse.open([model])
        let first = try await house.startOne()
        try await house.work(kind: .crewStep)
        let second = try await house.startOne()
        try await house.work(kind: .crewStep)
        _ = try await house.world.postgres.query(
            "UPDATE run_tasks SET held_since = held_since - interval '601 seconds' WHERE held_since IS NOT NULL"
        )
        try await house.passWaits()
        try await house.finish(second)
        #expect(model.requests.count == 1)
        #expect(try await house.error(second).hasPrefix("Provider openai was not available for 10 minutes"))
        #expect(try await house.status(first) == "running")
        await house.world.close()
    }

    @Test("What an operator sees: provider, state, the time left, and why")
    func view() async throws {
        let model = model(failing: .overloaded(retryAfter: .seconds(30)), times: 1)
        let house = try await CrewHouse.open([model])
        _ = try await house.startOne()
        try await house.work(kind: .crewStep)
        let marks = try await ProviderMarkStore(house.world.postgres).list()
        let mark = try #require(marks.first)
        #expect(marks.count == 1 && mark.provider == "openai" && mark.state == "paused" && mark.account == "key")
        #expect((mark.left ?? 0) > 20 && mark.model == "test-model" && mark.reason.contains("overloaded"))
        let name = ProviderMarks.fingerprint(of: "sk-secret-0123456789", at: "https://host/v1")
        #expect(
            name.count == 8 && name != ProviderMarks.fingerprint(of: "sk-secret-0123456789", at: "https://other/v1")
        )
        await house.world.close()
    }
}
