import Foundation
import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Two schedulers, and the active one is killed", .serialized)
struct SchedulerTakeoverTests {
    private func active(_ world: World) async throws -> Int? {
        try await world.postgres.query("SELECT pid FROM scheduler_state WHERE lease_until > clock_timestamp()").first?
            .decode(Int.self)
    }

    @Test("The standby takes over within 5 s; a schedule of every second has each tick once and none is missing")
    func takeover() async throws {
        let fleet = try await FleetUnderTest()
        let world = fleet.world
        let schedule = try Schedule(
            name: "each second",
            job: NewJob(kind: "maint.canary", queue: "maint"),
            cron: CronExpression("* * * * * *"),
            zone: ZoneRules("Asia/Kathmandu"),
            missed: .all
        )
        try await ScheduleStore(world.postgres).put(schedule)
        let schedulers = [try fleet.start("scheduler"), try fleet.start("scheduler")]
        try await eventually(within: .seconds(20), "three ticks") { try await ticks(world) >= 3 }
        let first = try #require(try await active(world))
        kill(pid_t(first), SIGKILL)
        let death = ContinuousClock.now
        try await eventually(within: .seconds(10), "the standby to be active") {
            try await active(world).map { $0 != first } ?? false
        }
        #expect(death.duration(to: .now) < .seconds(5))
        let before = try await ticks(world)
        try await eventually(within: .seconds(10), "three more ticks") { try await ticks(world) >= before + 3 }
        let row = try await world.postgres.query(
            """
            SELECT count(*), count(DISTINCT job), extract(epoch FROM max(tick) - min(tick))::bigint + 1,
                   (SELECT count(*) FROM jobs WHERE kind = 'maint.canary') FROM schedule_ticks
            """
        ).first
        let (all, distinct, seconds, jobs) = try #require(try row?.decode(Int.self, Int.self, Int.self, Int.self))
        #expect(all == distinct && all == seconds && all == jobs)
        for scheduler in schedulers { try await scheduler.stop() }
        await fleet.close()
    }

    private func ticks(_ world: World) async throws -> Int {
        try await world.postgres.query("SELECT count(*) FROM schedule_ticks").first?.decode(Int.self) ?? 0
    }

    @Test("A job's answer and its progress come back from a worker process, and a batch runs to its callback")
    func answers() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        let world = fleet.world
        let processes = [try fleet.start("scheduler"), try fleet.start("worker")]
        try await world.agreed()
        func probe(_ key: String, _ answer: String, _ milliseconds: Int) -> NewJob {
            let payload = #"{"key":"\#(key)","milliseconds":\#(milliseconds),"answer":"\#(answer)"}"#
            return NewJob(kind: "test.probe", queue: "maint", tenant: "t", payload: payload)
        }
        let slow = try await world.queue.add(probe("slow", "late", 4000)).id
        let quick = try await world.queue.add(probe("quick", "soon", 0)).id
        #expect(try await world.queue.result(of: quick, within: .seconds(20)) == .done(result: #""soon""#))
        try await eventually(within: .seconds(10), "the progress to be written") {
            try await Inspector(world.queue).job(slow)?.progress == "50% half"
        }
        let callback = NewJob(
            kind: "test.probe",
            queue: "maint",
            payload: #"{"key":"callback","milliseconds":0}"#
        )
        let members = (0..<30).map {
            NewJob(kind: "test.probe", queue: "maint", payload: #"{"key":"m\#($0)","milliseconds":1}"#)
        }
        let batch = try await world.queue.enqueue(NewBatch(name: "b", onAll: callback), of: members)
        try await eventually(within: .seconds(10), "the batch's callback to have run") {
            try await world.count("payload->>'key' = 'callback' AND state = 'done'") == 1
        }
        #expect(try await world.queue.batch(batch)?.progress == 1)
        #expect(try await world.queue.result(of: slow, within: .seconds(20)) == .done(result: #""late""#))
        for process in processes { try await process.stop() }
        await fleet.close()
    }
}
