import Domain
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@Suite("Backpressure: what may wait, on real servers")
struct BackpressureTests {
    private func jobs(_ count: Int, _ tenant: String) -> [NewJob] {
        (0..<count).map { _ in NewJob(kind: "k", queue: "alpha", tenant: tenant) }
    }

    private func gate(_ world: World, tenant: Int, queue: Int) -> Backpressure {
        Backpressure(world.ledger, world.dispatch, caps: WaitingCaps(tenant: tenant, queue: queue))
    }

    /// Claims so many jobs and settles them, in the ledger and in Redis.
    private func finish(_ count: Int, _ world: World, _ session: Int) async throws {
        let ask = CycleRequest(queue: "alpha", acknowledgements: [], want: count)
        let reply = try await world.dispatch.cycle([ask], session: session, classOrder: "0123")[0].get()
        let claim = Ledger.claim(reply.claims.map(\.id), session: session)
        let claimed = try Ledger.claimed(await world.postgres.query(claim))
        let settled = claimed.map { SettledJob(id: $0.id, attempt: $0.attempt, settlement: .done) }
        _ = try await world.postgres.query(Ledger.finish(settled))
        let told = reply.claims.map { Acknowledgement($0, .finished) }
        let tell = CycleRequest(queue: "alpha", acknowledgements: told, want: 0)
        _ = try await world.dispatch.cycle([tell], session: session, classOrder: "0123")[0].get()
    }

    @Test(
        "A tenant at its cap is asked to wait, others are not; a full queue asks everybody; accepted work still follows"
    )
    func caps() async throws {
        let world = try await World.fresh().agreed()
        let gate = gate(world, tenant: 5, queue: 8)
        #expect(try await gate.verdict(on: "alpha", tenant: "t") == nil)
        try await world.queue.enqueue(jobs(5, "t"))
        let own = try #require(try await gate.verdict(on: "alpha", tenant: "t"))
        #expect(own.whose == .tenant && own.waiting == 5 && own.cap == 5)
        #expect(own.retryAfter == 300, "nothing has left the queue yet")
        #expect(own.description == "5 of your jobs wait in the alpha queue, and 5 may. Try again in 300 s.")
        #expect(try await gate.verdict(on: "alpha", tenant: "u") == nil)
        #expect(try await gate.verdict(on: "beta", tenant: "t") == nil)
        try await world.queue.enqueue(jobs(3, "u"))
        #expect(try await gate.verdict(on: "alpha", tenant: "v")?.whose == .queue)
        // What follows from accepted work asks nobody.
        #expect(try await world.queue.enqueue(jobs(10, "t")).count == 10)
        await world.close()
    }

    @Test("The pause is as long as the queue takes to make room at the rate at which it was drained")
    func pause() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(700, "t"))
        for _ in 0..<6 { try await finish(100, world, session) }
        let narrow = try #require(try await gate(world, tenant: 100, queue: 0).verdict(on: "alpha", tenant: "t"))
        #expect(narrow.waiting == 100)
        #expect((1...5).contains(narrow.retryAfter), "600 jobs left within seconds: \(narrow.retryAfter) s for one")
        let wide = try #require(try await gate(world, tenant: 1, queue: 0).verdict(on: "alpha", tenant: "t"))
        #expect(wide.retryAfter >= narrow.retryAfter && wide.retryAfter < 300)
        #expect(try await gate(world, tenant: 0, queue: 0).verdict(on: "alpha", tenant: "t") == nil)
        await world.close()
    }

    @Test("Without Redis the ledger is counted, and what was let in meanwhile is added")
    func withoutRedis() async throws {
        let world = try await World.fresh(redisURL: "redis://127.0.0.1:1")
        let gate = gate(world, tenant: 4, queue: 6)
        try await world.queue.enqueue(jobs(3, "t"))
        #expect(try await gate.verdict(on: "alpha", tenant: "t") == nil)
        #expect(try await gate.verdict(on: "alpha", tenant: "t")?.whose == .tenant)
        #expect(try await gate.verdict(on: "alpha", tenant: "u") == nil)
        #expect(try await gate.verdict(on: "alpha", tenant: "v") == nil)
        let full = try #require(try await gate.verdict(on: "alpha", tenant: "w"))
        #expect(full.whose == .queue && full.waiting == 6)
        await world.close()
    }

    @Test("A cap of the tenant by name wins over its plan's, that over the installation's; 0 is no cap")
    func sources() async throws {
        let world = try await World.fresh().agreed()
        let tenant = try await world.stores.accounts.createTenant(name: "T", plan: .starter).id.rawValue
        let gate = gate(world, tenant: 3, queue: 0)
        try await world.queue.enqueue(jobs(2, tenant))
        func isRefused() async throws -> Bool { try await gate.verdict(on: "alpha", tenant: tenant) != nil }
        #expect(try await !isRefused())
        _ = try await world.postgres.query(
            Ledger.set(PlanLimit(plan: "starter", queue: "alpha", concurrency: 0, waiting: 2))
        )
        #expect(try await isRefused())
        #expect(try await world.ledger.planLimits().contains { $0.queue == "alpha" && $0.waiting == 2 })
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", tenant: tenant, waiting: 0)))
        #expect(try await !isRefused())
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", waiting: 1)))
        #expect(try await gate.verdict(on: "alpha", tenant: tenant)?.whose == .queue)
        await world.close()
    }
}
