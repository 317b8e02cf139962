import Foundation
import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Schedules: every tick at most once, and a rule for missed ones", .serialized)
struct ScheduleClockTests {
    private func put(
        _ world: World,
        _ name: String,
        cron: String = "* * * * * *",
        missed: MissedTicks = .all,
        limit: Int = 100
    ) async throws {
        let schedule = try Schedule(
            name: name,
            job: NewJob(kind: "k", queue: "alpha", tenant: "t", priority: 3, payload: #"{"a":1}"#, maxAttempts: 2),
            cron: CronExpression(cron),
            zone: ZoneRules("Europe/Berlin"),
            missed: missed,
            missedLimit: limit
        )
        try await ScheduleStore(world.postgres).put(schedule)
    }

    /// As if no scheduler had run for so long.
    private func sleep(_ world: World, _ seconds: Int) async throws {
        _ = try await world.postgres.query(
            """
            UPDATE schedules SET next_tick = date_trunc('minute', clock_timestamp()) - \(seconds) * interval '1 second'
            """
        )
    }

    private func ticks(_ world: World, _ name: String) async throws -> Int {
        try await world.postgres.query("SELECT count(*) FROM schedule_ticks WHERE schedule = \(name)").first?
            .decode(Int.self) ?? -1
    }

    @Test("Four clocks race for the ticks of three schedules: no tick is doubled, none is missing, each has its job")
    func race() async throws {
        let world = try await World.fresh().agreed()
        for name in ["one", "two", "three"] { try await put(world, name) }
        let clocks = (0..<4).map { _ in ScheduleClock(world.queue, logger: world.logger) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for clock in clocks {
                group.addTask {
                    while try await ticks(world, "three") < 4 {
                        // No waiting: they shall meet as often as possible.
                        _ = try await clock.run()
                    }
                }
            }
            try await group.waitForAll()
        }
        let gaps = try await world.postgres.query(
            """
            SELECT count(*) FROM (SELECT tick - lag(tick) OVER (PARTITION BY schedule ORDER BY tick) AS gap
                                  FROM schedule_ticks) g WHERE gap <> interval '1 second'
            """
        ).first?.decode(Int.self)
        #expect(gaps == 0)
        let counts = try await world.postgres.query(
            "SELECT count(*), count(DISTINCT job), (SELECT count(*) FROM jobs) FROM schedule_ticks"
        ).first?.decode(Int.self, Int.self, Int.self)
        let (all, distinct, jobs) = try #require(counts)
        #expect(all == distinct && all == jobs && all >= 12)
        #expect(try await world.count("kind = 'k' AND tenant = 't' AND priority = 3 AND max_attempts = 2") == jobs)
        #expect(await world.dispatch.depths()["alpha"] == jobs)
        await world.close()
    }

    @Test(
        "After ten hours without a scheduler: skip fires none, latest the newest, all the newest up to the limit",
        arguments: [
            (MissedTicks.skip, 0), (.latest, 1), (.all, 7),
        ]
    )
    func missed(rule: MissedTicks, expected: Int) async throws {
        let world = try await World.fresh()
        // Half an hour from now: not even the newest missed tick counts as on time.
        let minute = (Int(Date().timeIntervalSince1970) / 60 + 30) % 60
        try await put(world, "s", cron: "\(minute) * * * *", missed: rule, limit: 7)
        try await sleep(world, 10 * 3600)
        let wait = try await ScheduleClock(world.queue, logger: world.logger).run()
        #expect(wait > .zero && wait <= .seconds(1))
        #expect(try await ticks(world, "s") == expected)
        #expect(try await world.count("true") == expected)
        let future = try await world.postgres.query("SELECT 1 FROM schedules WHERE next_tick > clock_timestamp()")
        #expect(future.count == 1)
        await world.close()
    }

    @Test("After a year without a scheduler a schedule of every second costs no walk through the year")
    func longAbsence() async throws {
        let world = try await World.fresh()
        try await put(world, "s", missed: .all, limit: 1000)
        try await sleep(world, 366 * 86_400)
        let clock = ContinuousClock()
        let time = try await clock.measure { _ = try await ScheduleClock(world.queue, logger: world.logger).run() }
        #expect(try await ticks(world, "s") == 1000)
        #expect(time < .seconds(5))
        await world.close()
    }

    @Test("A disabled schedule rests, and what it would have done is not made up for; a removed one is gone")
    func resting() async throws {
        let world = try await World.fresh()
        let store = ScheduleStore(world.postgres)
        try await put(world, "s")
        #expect(try await store.setEnabled("s", false))
        try await sleep(world, 60)
        let clock = ScheduleClock(world.queue, logger: world.logger)
        _ = try await clock.run()
        #expect(try await ticks(world, "s") == 0)
        #expect(try await store.setEnabled("s", true))
        _ = try await clock.run()
        #expect(try await ticks(world, "s") <= 1)
        let view = try #require(try await store.list().first)
        #expect(view.name == "s" && view.isEnabled && view.cron == "* * * * * *" && view.timezone == "Europe/Berlin")
        #expect(try await store.remove("s"))
        #expect(try await store.remove("s") == false)
        #expect(try await store.setEnabled("s", true) == false)
        await world.close()
    }

    @Test("A tick that is in the ledger is never fired again, even if the schedule is set back")
    func setBack() async throws {
        let world = try await World.fresh()
        try await put(world, "s", cron: "* * * * *", missed: .all)
        try await sleep(world, 300)
        let clock = ScheduleClock(world.queue, logger: world.logger)
        _ = try await clock.run()
        let fired = try await ticks(world, "s")
        #expect(fired == 6)
        try await sleep(world, 300)
        _ = try await clock.run()
        #expect(try await ticks(world, "s") - fired <= 1)
        #expect(try await world.count("true") == ticks(world, "s"))
        await world.close()
    }

    @Test("A schedule whose row cannot be read does not hold up the others")
    func unreadable() async throws {
        let world = try await World.fresh()
        try await put(world, "bad")
        try await put(world, "good")
        _ = try await world.postgres.query("UPDATE schedules SET cron = 'nonsense' WHERE name = 'bad'")
        try await sleep(world, 5)
        let wait = try await ScheduleClock(world.queue, logger: world.logger).run()
        #expect(wait == .seconds(1))
        #expect(try await ticks(world, "good") > 0)
        #expect(try await ticks(world, "bad") == 0)
        await world.close()
    }
}
