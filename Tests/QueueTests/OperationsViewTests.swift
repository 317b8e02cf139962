import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Operations: why a job waits, batches, retention, on a real Postgres")
struct OperationsViewTests {
    private func job(delay: Duration = .zero, after: [Int] = [], tenant: String = "t") -> NewJob {
        NewJob(kind: "k", queue: "alpha", tenant: tenant, delay: delay, after: after)
    }

    private func reason(_ world: World, _ id: Int) async throws -> WaitingReason? {
        let inspector = Inspector(world.queue)
        let job = try #require(try await inspector.job(id))
        return try await inspector.waitingReason(of: job)?.reason
    }

    private func worker(_ world: World) async throws -> Int {
        let card = WorkerCard(host: "h", processID: 1, version: "v", queues: ["alpha"], kinds: ["k"], slots: 9)
        return try await world.ledger.openSession(card, lease: .seconds(60))
    }

    @Test("Whatever is in a waiting job's way is named, and nothing for one that runs")
    func reasons() async throws {
        let world = try await World.fresh()
        let first = try await world.queue.enqueue([job()])[0]
        #expect(try await reason(world, first) == .unserved)
        let session = try await worker(world)
        #expect(try await reason(world, first) == .next)
        let later = try await world.queue.enqueue([job(delay: .seconds(60))])[0]
        #expect(try await reason(world, later) == .delayed)
        let step = try await world.queue.transaction { try await $0.add([job(after: [first])])[0].id }
        #expect(try await reason(world, step) == .blocked)
        try await world.queue.setMode(.paused, of: "alpha", reason: "", by: "me")
        #expect(try await reason(world, first) == .paused)
        try await world.queue.setMode(.open, of: "alpha", reason: "", by: "me")
        let second = try await world.queue.enqueue([job()])[0]
        #expect(try await reason(world, second) == .turn)
        _ = try await world.postgres.query(Ledger.claim([first], session: session))
        #expect(try await reason(world, first) == nil)
        #expect(try await reason(world, second) == .next)
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", concurrency: 1)))
        #expect(try await reason(world, second) == .queueCap)
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", tenant: "t", concurrency: 1)))
        #expect(try await reason(world, second) == .tenantCap)
        await world.close()
    }

    @Test("A tenant over its rate is named as the reason")
    func rate() async throws {
        let world = try await World.fresh()
        _ = try await worker(world)
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", tenant: "t", rate: 0.01)))
        try await world.agreed()
        let session = try await world.session()
        let ids = try await world.queue.enqueue([job(), job()])
        let request = CycleRequest(queue: "alpha", acknowledgements: [], want: 5)
        for _ in 0..<2 {
            let reply = try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
            _ = try await world.postgres.query(Ledger.claim(reply.claims.map(\.id), session: session))
        }
        #expect(try await reason(world, ids[1]) == .rate)
        await world.close()
    }

    @Test("A batch shows what failed in it, and a job which batch it is of")
    func batches() async throws {
        let world = try await World.fresh()
        let batch = try await world.queue.enqueue(NewBatch(name: "b"), of: [job(), job()])
        _ = try await world.postgres.query(
            "UPDATE jobs SET state = 'dead', error = 'boom', finished_at = now() WHERE id = (SELECT min(id) FROM jobs)"
        )
        let inspector = Inspector(world.queue)
        #expect(try await inspector.batches(limit: 5).map(\.id) == [batch])
        let failures = try await inspector.failures(of: batch, limit: 5)
        #expect(failures.map(\.error) == ["boom"])
        #expect(try await inspector.job(failures[0].job)?.batch == batch)
        await world.close()
    }

    @Test("Finished jobs go after the retention that was set, the others stay; the index finds them")
    func retention() async throws {
        let world = try await World.fresh()
        try await world.queue.enqueue((0..<5).map { _ in job() })
        let ages: SQL = """
            UPDATE jobs SET state = v.state, finished_at = now() - v.age
            FROM (VALUES (1, 'done', interval '3 hours'), (2, 'done', interval '1 hour'),
                         (3, 'cancelled', interval '3 hours'), (4, 'dead', interval '3 hours')) v (place, state, age),
                 (SELECT id, row_number() OVER (ORDER BY id) AS place FROM jobs) j
            WHERE jobs.id = j.id AND j.place = v.place
            """
        _ = try await world.postgres.query(ages)
        try await Pruner(world.ledger, retention: .seconds(7200)).run()
        #expect(try await world.count("state = 'done'") == 1)
        #expect(try await world.count("state = 'cancelled'") == 0)
        #expect(try await world.count("state IN ('dead','queued')") == 2)
        await world.close()
    }

    @Test("Attempts that nobody could read are counted in a row, and not as failures; one that was read begins anew")
    func unreadable() async throws {
        let world = try await World.fresh()
        let session = try await worker(world)
        let id = try await world.queue.enqueue([job()])[0]
        for count in [0, 1, 2] {
            let claim = Ledger.claim([id], session: session)
            let claimed = try #require(try Ledger.claimed(await world.postgres.query(claim)).first)
            #expect(claimed.unreadable == count && claimed.failures == 0)
            let settlement: Settlement =
                count < 2 ? .unreadable(after: .zero, error: "what?") : .snooze(after: .zero, error: nil)
            let settled = SettledJob(id: id, attempt: claimed.attempt, settlement: settlement)
            _ = try await world.postgres.query(Ledger.settle([settled]))
        }
        let view = try #require(try await Inspector(world.queue).job(id))
        #expect(view.unreadable == 0 && view.failures == 0 && view.attempt == 3)
        await world.close()
    }
}
