import Embedded
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

@Suite("Dispatch: order, fairness and caps, on a real Redis")
struct DispatchTests {
    private func jobs(_ count: Int, tenant: String, priority: Int = 5, delay: Duration = .zero) -> [NewJob] {
        (0..<count).map { _ in
            NewJob(kind: "k", queue: "alpha", tenant: tenant, priority: priority, delay: delay)
        }
    }

    private func claim(_ world: World, _ session: Int, _ want: Int) async throws -> CycleReply {
        let request = CycleRequest(queue: "alpha", acknowledgements: [], want: want)
        return try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
    }

    private func finish(_ world: World, _ session: Int, _ tickets: [Ticket]) async throws {
        let acknowledgements = tickets.map { Acknowledgement($0, .finished) }
        let request = CycleRequest(queue: "alpha", acknowledgements: acknowledgements, want: 0)
        _ = try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
    }

    @Test("A whale's thousand jobs do not delay a minnow's five")
    func fairness() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(1000, tenant: "whale"))
        let minnow = Set(try await world.queue.enqueue(jobs(5, tenant: "minnow")))
        let first = try await claim(world, session, 10).claims.map(\.id)
        #expect(Set(first).intersection(minnow).count == 5)
        #expect(first.count == 10)
        await world.close()
    }

    @Test("Urgent work goes first within what one tenant has")
    func priorities() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(20, tenant: "t", priority: 9))
        let urgent = Set(try await world.queue.enqueue(jobs(3, tenant: "t", priority: 0)))
        let claimed = try await claim(world, session, 3).claims.map(\.id)
        #expect(Set(claimed) == urgent)
        await world.close()
    }

    @Test("A tenant at its cap is parked, and a settled job lets it back")
    func caps() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", tenant: "t", concurrency: 2)))
        try await world.agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(5, tenant: "t"))
        let first = try await claim(world, session, 10)
        #expect(first.claims.count == 2)
        #expect(try await claim(world, session, 10).claims.isEmpty)
        try await finish(world, session, [first.claims[0]])
        #expect(try await claim(world, session, 10).claims.count == 1)
        await world.close()
    }

    @Test("Weights share a queue in their proportion")
    func weights() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.pipeline([
            Ledger.set(QueueLimit(queue: "alpha", tenant: "heavy", weight: 3)),
            Ledger.set(QueueLimit(queue: "alpha", tenant: "light", weight: 1)),
        ])
        try await world.agreed()
        let session = try await world.session()
        let heavy = Set(try await world.queue.enqueue(jobs(400, tenant: "heavy")))
        try await world.queue.enqueue(jobs(400, tenant: "light"))
        var claimed: [Int] = []
        for _ in 0..<160 { claimed += try await claim(world, session, 1).claims.map(\.id) }
        let share = claimed.count { heavy.contains($0) }
        #expect((110...130).contains(share), "of 160 claims the heavy tenant got \(share), expected about 120")
        await world.close()
    }

    @Test("A delayed job is not handed out before it is due, and the reply says how long to wait")
    func delays() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(1, tenant: "t", delay: .seconds(3)))
        let early = try await claim(world, session, 5)
        #expect(early.claims.isEmpty)
        let wait = try #require(early.nextDue)
        #expect(wait > .zero && wait <= .seconds(3))
        try await eventually(within: .seconds(20), "the delayed job") {
            try await claim(world, session, 5).claims.count == 1
        }
        await world.close()
    }

    @Test("Telling Redis of a job twice hands it out once")
    func idempotent() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        let id = try #require(try await world.queue.enqueue(jobs(1, tenant: "t")).first)
        let hint = JobHint(id: id, queue: "alpha", tenant: "t", priority: 5, due: 0)
        await world.dispatch.push([hint, hint])
        let twin = JobHint(id: id + 1_000_000, queue: "alpha", tenant: "t", priority: 5, due: 0)
        await world.dispatch.push([twin, twin])
        #expect(try await claim(world, session, 5).claims.map(\.id) == [id, twin.id])
        #expect(try await claim(world, session, 5).claims.isEmpty)
        await world.close()
    }

    @Test("An idle worker is woken by a push, without polling")
    func wakes() async throws {
        let world = try await World.fresh().agreed()
        let blocking = world.redis.blocking()
        async let woken = world.dispatch.wait(on: blocking, queues: ["beta", "alpha"], timeout: .seconds(10))
        try await world.queue.enqueue(jobs(1, tenant: "t"))
        #expect(try await woken == "alpha")
        await blocking.close()
        await world.close()
    }

    @Test("A session that is over is refused, and what it held goes back to the front")
    func release() async throws {
        let world = try await World.fresh().agreed()
        let first = try await world.session()
        let second = try await world.session()
        let ids = try await world.queue.enqueue(jobs(3, tenant: "t"))
        let held = try await claim(world, first, 2).claims
        #expect(held.count == 2)
        _ = try await world.ledger.closeSession(first)
        await world.dispatch.releaseEndedSessions()
        let again = try await claim(world, second, 3).claims.map(\.id)
        #expect(Set(again) == Set(ids))
        #expect(Set(again.prefix(2)) == Set(held.map(\.id)))
        let request = CycleRequest(queue: "alpha", acknowledgements: [], want: 1)
        let refused = await world.dispatch.cycle([request], session: first, classOrder: "0123")[0]
        #expect(throws: (any Error).self) { try refused.get() }
        await world.close()
    }

    @Test("After FLUSHALL nothing is dispatched from the wrong generation, and a rebuild brings everything back")
    func rebuild() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let world = try await World.fresh(redisURL: redis.url).agreed()
        let session = try await world.session()
        let ids = try await world.queue.enqueue(jobs(50, tenant: "t") + jobs(50, tenant: "u"))
        let running = try await claim(world, session, 10).claims.map(\.id)
        _ = try await world.postgres.query(Ledger.claim(running, session: session))
        _ = try await world.redis.send(["FLUSHALL"])
        let request = CycleRequest(queue: "alpha", acknowledgements: [], want: 1)
        let refused = await world.dispatch.cycle([request], session: session, classOrder: "0123")[0]
        guard case .failure(let error) = refused else {
            Issue.record("a wiped Redis handed out work")
            return
        }
        world.dispatch.suspect(error)
        #expect(await world.dispatch.verify() == .rebuilt(waiting: 90))
        #expect(Set(try await world.dispatch.held(by: session, queues: ["alpha"]).map(\.id)) == Set(running))
        var again: Set<Int> = []
        while case let page = try await claim(world, session, 40).claims, !page.isEmpty {
            again.formUnion(page.map(\.id))
        }
        #expect(again == Set(ids).subtracting(running))
        await world.close()
        await redis.stop()
    }

    private func clock(_ world: World) async throws -> String {
        try #require(try await world.postgres.query("SELECT clock_timestamp()::text").first?.decode(String.self))
    }

    @Test("A Redis that came back with other memory is noticed by its run id and rebuilt")
    func restart() async throws {
        let redis = try await TestStack.shared().dedicatedRedis(durability: .durable)
        let world = try await World.fresh(redisURL: redis.url).agreed()
        try await world.queue.enqueue(jobs(10, tenant: "t"))
        let rebuilds: SQL = "SELECT count(*) FROM queue_state WHERE rebuilt_at > \(try await clock(world))::timestamptz"
        await redis.kill()
        try await redis.restart()
        // The answer to a rebuild may be lost on the way; what it did is not.
        try await eventually(within: .seconds(15), "the rebuild") {
            let outcome = await world.dispatch.verify()
            if case .rebuilt(let waiting) = outcome { #expect(waiting == 10) }
            return world.dispatch.isAgreed
        }
        let count = try #require(try await world.postgres.query(rebuilds).first).decode(Int.self)
        #expect(count == 1)
        await world.close()
        await redis.stop()
    }

    @Test("The sweep finds by state what Redis was never told, old rows included")
    func sweep() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        _ = try await world.postgres.query(Ledger.insert(jobs(30, tenant: "t")))
        _ = try await world.postgres.query(
            "UPDATE jobs SET run_at = now() - interval '1 day', created_at = now() - interval '1 day'"
        )
        #expect(try await claim(world, session, 50).claims.isEmpty)
        let sweeper = Sweeper(world.ledger, world.dispatch, logger: world.logger)
        #expect(try await sweeper.run() == 30)
        #expect(try await sweeper.run() == 0)
        #expect(try await claim(world, session, 50).claims.count == 30)
        await world.close()
    }
}
