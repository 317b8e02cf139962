import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Ledger: claims, fences and settlements, on a real Postgres")
struct LedgerTests {
    private func add(_ world: World, _ count: Int = 1, maxAttempts: Int = 3) async throws -> [Int] {
        let jobs = (0..<count).map { _ in NewJob(kind: "k", queue: "alpha", tenant: "t", maxAttempts: maxAttempts) }
        return try Ledger.hints(await world.postgres.query(Ledger.insert(jobs))).map(\.id)
    }

    private func session(_ world: World, lease: Duration = .seconds(30)) async throws -> Int {
        let card = WorkerCard(host: "h", processID: 1, version: "v", queues: ["alpha"], kinds: [], slots: 10)
        return try await world.ledger.openSession(card, lease: lease)
    }

    private func claim(_ world: World, _ ids: [Int], _ session: Int) async throws -> [ClaimedJob] {
        try Ledger.claimed(await world.postgres.query(Ledger.claim(ids, session: session)))
    }

    private func settle(_ world: World, _ job: ClaimedJob, _ settlement: Settlement) async throws -> Bool {
        let settled = [SettledJob(id: job.id, attempt: job.attempt, settlement: settlement)]
        let sql = settlement == .done ? Ledger.finish(settled) : Ledger.settle(settled)
        return try await world.postgres.query(sql).count == 1
    }

    private func state(_ world: World, _ id: Int) async throws -> JobView {
        try #require(try await Inspector(world.queue).job(id))
    }

    @Test("Of twenty workers that race for one job, one gets it")
    func race() async throws {
        let world = try await World.fresh()
        let id = try await add(world)
        let session = try await session(world)
        let winners = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await claim(world, id, session).count } }
            return try await group.reduce(0, +)
        }
        #expect(winners == 1)
        await world.close()
    }

    @Test("An older attempt cannot settle: its result counts for nothing")
    func fencing() async throws {
        let world = try await World.fresh()
        let id = try await add(world)
        let session = try await session(world)
        let zombie = try #require(try await claim(world, id, session).first)
        #expect(try await settle(world, zombie, .handBack))
        let second = try #require(try await claim(world, id, session).first)
        #expect(second.attempt == zombie.attempt + 1)
        #expect(try await settle(world, zombie, .done) == false)
        #expect(try await world.postgres.query(Ledger.fence(id: zombie.id, attempt: zombie.attempt)).first == nil)
        #expect(try await settle(world, second, .done))
        #expect(try await settle(world, second, .done) == false)
        await world.close()
    }

    @Test("A failure is counted and waits; a snooze and a hand-back are not counted")
    func counting() async throws {
        let world = try await World.fresh()
        let id = try await add(world)
        let session = try await session(world)
        var job = try #require(try await claim(world, id, session).first)
        #expect(try await settle(world, job, .retry(after: .zero, error: "boom")))
        #expect(try await state(world, id[0]).failures == 1)
        job = try #require(try await claim(world, id, session).first)
        #expect(try await settle(world, job, .snooze(after: .zero, error: nil)))
        job = try #require(try await claim(world, id, session).first)
        #expect(try await settle(world, job, .handBack))
        let after = try await state(world, id[0])
        #expect(after.failures == 1 && after.state == "queued" && after.attempt == 3 && after.error == "boom")
        job = try #require(try await claim(world, id, session).first)
        #expect(try await settle(world, job, .dead(.failed, error: "for good")))
        let dead = try await state(world, id[0])
        #expect(dead.state == "dead" && dead.deadReason == "failed" && dead.failures == 2 && dead.finishedAt != nil)
        await world.close()
    }

    @Test("A retry in the future cannot be claimed early, and is reported as waiting")
    func early() async throws {
        let world = try await World.fresh()
        let id = try await add(world)
        let session = try await session(world)
        let job = try #require(try await claim(world, id, session).first)
        #expect(try await settle(world, job, .retry(after: .seconds(60), error: "later")))
        #expect(try await claim(world, id, session).isEmpty)
        #expect(try await world.ledger.notYetDue(id).map(\.id) == id)
        await world.close()
    }

    @Test("While a job with a unique key waits or runs another one is left out; afterwards it may come again")
    func unique() async throws {
        let world = try await World.fresh()
        let job = NewJob(kind: "k", queue: "alpha", uniqueKey: "only")
        let first = try Ledger.hints(await world.postgres.query(Ledger.insert([job]))).map(\.id)
        #expect(try await world.postgres.query(Ledger.insert([job])).count == 0)
        let claimed = try #require(try await claim(world, first, try await session(world)).first)
        #expect(try await world.postgres.query(Ledger.insert([job])).count == 0)
        #expect(try await settle(world, claimed, .done))
        #expect(try await world.postgres.query(Ledger.insert([job])).count == 1)
        await world.close()
    }

    @Test("A job enqueued in a transaction that rolls back never existed")
    func outbox() async throws {
        struct Stop: Error {}
        let world = try await World.fresh().agreed()
        await #expect(throws: Stop.self) {
            try await world.queue.transaction { transaction in
                try await transaction.enqueue([NewJob(kind: "k", queue: "alpha")])
                throw Stop()
            }
        }
        #expect(try await world.count("true") == 0)
        #expect(await world.dispatch.depths()["alpha"] == 0)
        await world.close()
    }

    @Test("A process that slept past its lease claims nothing, and what it ran goes back")
    func lease() async throws {
        let world = try await World.fresh().agreed()
        let ids = try await add(world, 3)
        let sleeper = try await session(world, lease: .milliseconds(50))
        let job = try #require(try await claim(world, [ids[0]], sleeper).first)
        let reaper = Reaper(world.ledger, world.dispatch, logger: world.logger)
        try await eventually(within: .seconds(5), "the lease to end") { try await reaper.run() == 1 }
        #expect(try await claim(world, [ids[1]], sleeper).isEmpty)
        #expect(try await settle(world, job, .done) == false)
        let returned = try await state(world, ids[0])
        #expect(returned.state == "queued" && returned.losses == 1)
        #expect(
            try await world.postgres.query(Ledger.renewSession(sleeper, lease: .seconds(9), running: 0)).first == nil
        )
        await world.close()
    }

    @Test("Three lost workers make a job poison; a fleet-wide outage does not")
    func poison() async throws {
        let world = try await World.fresh().agreed()
        let reaper = Reaper(world.ledger, world.dispatch, logger: world.logger)
        let id = try await add(world)
        for round in 1...3 {
            let session = try await session(world, lease: .milliseconds(1))
            #expect(try await claim(world, id, session).count == 1)
            try await eventually(within: .seconds(5), "loss \(round)") { try await reaper.run() == 1 }
        }
        let dead = try await state(world, id[0])
        #expect(dead.state == "dead" && dead.deadReason == "poison" && dead.losses == 3)

        let innocent = try await add(world)
        for round in 4...8 {
            let session = try await session(world, lease: .milliseconds(1))
            #expect(try await claim(world, innocent, session).count == 1)
            try await eventually(within: .seconds(5), "loss \(round)") { try await reaper.run() == 1 }
        }
        let spared = try await state(world, innocent[0])
        #expect(spared.state == "queued" && spared.losses <= 1)
        await world.close()
    }

    @Test("Closing a session hands its jobs back and spends no attempt")
    func handBack() async throws {
        let world = try await World.fresh()
        let ids = try await add(world, 4)
        let session = try await session(world)
        #expect(try await claim(world, ids, session).count == 4)
        #expect(try await world.ledger.closeSession(session) == 4)
        #expect(try await world.count("state = 'queued' AND failures = 0 AND losses = 0") == 4)
        await world.close()
    }

    @Test("Without Redis, workers share the ledger and no row is claimed twice")
    func skipLocked() async throws {
        let world = try await World.fresh()
        _ = try await add(world, 300)
        let session = try await session(world)
        let claimed = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<6 {
                group.addTask {
                    var mine: [Int] = []
                    while true {
                        let sql = Ledger.claimWithoutRedis(queues: ["alpha", "beta"], limit: 7, session: session)
                        let page = try Ledger.claimed(await world.postgres.query(sql)).map(\.id)
                        if page.isEmpty { return mine }
                        mine += page
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.count == 300 && Set(claimed).count == 300)
        await world.close()
    }
}
