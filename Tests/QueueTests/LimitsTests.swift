import Domain
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@Suite("Limits: time, caps and rates, on real servers")
struct LimitsTests {
    private func jobs(_ count: Int, tenant: String) -> [NewJob] {
        (0..<count).map { _ in NewJob(kind: "k", queue: "alpha", tenant: tenant) }
    }

    private func cycle(
        _ world: World,
        _ session: Int,
        _ want: Int,
        _ settled: [Acknowledgement] = []
    ) async throws -> CycleReply {
        let request = CycleRequest(queue: "alpha", acknowledgements: settled, want: want)
        return try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
    }

    @Test("Fairness is by worker time: slow jobs of one tenant do not count the same as quick ones of another")
    func time() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        let slow = Set(try await world.queue.enqueue(jobs(300, tenant: "slow")))
        try await world.queue.enqueue(jobs(300, tenant: "quick"))
        var spent = ["slow": 0, "quick": 0]
        for _ in 0..<200 {
            let claims = try await cycle(world, session, 1).claims
            let settled = claims.map { ticket in
                Acknowledgement(ticket, .finished, milliseconds: slow.contains(ticket.id) ? 100 : 10)
            }
            for ticket in claims {
                spent[slow.contains(ticket.id) ? "slow" : "quick", default: 0] += slow.contains(ticket.id) ? 100 : 10
            }
            _ = try await cycle(world, session, 0, settled)
        }
        let ratio = Double(spent["slow"] ?? 0) / Double(spent["quick"] ?? 1)
        #expect((0.8...1.3).contains(ratio), "the slow tenant got \(ratio) times the quick one's worker time")
        await world.close()
    }

    @Test("A tenant's rate lets a burst through, then parks it; another tenant goes on; the reply says when it reopens")
    func tenantRate() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.query(
            Ledger.set(QueueLimit(queue: "alpha", tenant: "t", rate: 4, burst: 3))
        )
        try await world.agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(10, tenant: "t"))
        let first = try await cycle(world, session, 10)
        #expect(first.claims.count == 3)
        let second = try await cycle(world, session, 10)
        #expect(second.claims.isEmpty)
        let wait = try #require(second.nextDue)
        #expect(wait > .zero && wait <= .milliseconds(251))
        let others = Set(try await world.queue.enqueue(jobs(2, tenant: "u")))
        #expect(try await cycle(world, session, 10).claims.count { others.contains($0.id) } == 2)
        // A settled job gives a place back, not a start.
        _ = try await cycle(world, session, 0, first.claims.map { Acknowledgement($0, .finished) })
        try await eventually(within: .seconds(5), "the next start") {
            try await cycle(world, session, 10).claims.count == 1
        }
        await world.close()
    }

    @Test("A queue's cap and rate hold over all tenants, and a settled job makes room")
    func queueWide() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", concurrency: 3)))
        try await world.agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(5, tenant: "t") + jobs(5, tenant: "u"))
        let first = try await cycle(world, session, 10)
        #expect(first.claims.count == 3 && !first.more)
        let settled = first.claims.prefix(1).map { Acknowledgement($0, .finished) }
        #expect(try await cycle(world, session, 0, settled).more)
        #expect(try await cycle(world, session, 10).claims.count == 1)
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", rate: 5, burst: 2)))
        try await world.dispatch.refreshLimits()
        #expect(try await cycle(world, session, 10).claims.count == 2)
        let shut = try await cycle(world, session, 10)
        #expect(shut.claims.isEmpty && shut.nextDue.map { $0 <= .milliseconds(201) } == true)
        await world.close()
    }

    @Test("A limit that is taken back frees a parked tenant; only changes are told")
    func takenBack() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", tenant: "t", concurrency: 1)))
        try await world.agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(5, tenant: "t"))
        #expect(try await cycle(world, session, 10).claims.count == 1)
        #expect(try await cycle(world, session, 10).claims.isEmpty)
        _ = try await world.postgres.query(Ledger.removeLimit(queue: "alpha", tenant: "t"))
        try await world.dispatch.refreshLimits()
        #expect(try await cycle(world, session, 10).claims.count == 4)
        await world.close()
    }

    @Test("A plan brings its caps, and a change of either is one of the tenant's; a limit by name wins over them")
    func plans() async throws {
        let world = try await World.fresh()
        let id = try await world.stores.accounts.createTenant(name: "A", plan: .starter).id
        let tenant = id.rawValue
        func cap() async throws -> Int? {
            try await world.ledger.limits().first { $0.tenant == tenant && $0.queue == "crew" }?.concurrency
        }
        #expect(try await cap() == 1)
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "crew", tenant: tenant, concurrency: 7)))
        #expect(try await cap() == 7)
        _ = try await world.postgres.query(Ledger.removeLimit(queue: "crew", tenant: tenant))
        #expect(try await cap() == 1)
        _ = try await world.stores.accounts.setPlan(.professional, for: id)
        #expect(try await cap() == 3)
        _ = try await world.postgres.query(Ledger.set(PlanLimit(plan: "professional", queue: "crew", concurrency: 5)))
        #expect(try await cap() == 5)
        await world.close()
    }
}
