import Embedded
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

@Suite("Operations: paused and closed queues, on real servers")
struct OperationsModeTests {
    private func add(_ world: World, _ count: Int = 1, tenant: String = "t") async throws -> [Int] {
        try await world.queue.enqueue((0..<count).map { _ in NewJob(kind: "k", queue: "alpha", tenant: tenant) })
    }

    private func cycle(_ world: World, _ session: Int) async throws -> CycleReply {
        let request = CycleRequest(queue: "alpha", acknowledgements: [], want: 10)
        return try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
    }

    @Test(
        "A paused queue accepts jobs, hands none out and does not ask to be looked at again; resumed, it wakes workers"
    )
    func pause() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.setMode(.paused, of: "alpha", reason: "upgrade", by: "me")
        let ids = try await add(world, 3)
        let held = try await cycle(world, session)
        #expect(held.claims.isEmpty && !held.more)
        let setting = try #require(try await world.ledger.queueSettings().first)
        #expect(setting.mode == .paused && setting.reason == "upgrade" && setting.changedBy == "me")

        let blocking = world.redis.blocking()
        while try await world.dispatch.wait(on: blocking, queues: ["alpha"], timeout: .milliseconds(50)) != nil {}
        try await world.queue.setMode(.open, of: "alpha", reason: "", by: "me")
        #expect(try await world.dispatch.wait(on: blocking, queues: ["alpha"], timeout: .seconds(5)) == "alpha")
        await blocking.close()
        #expect(Set(try await cycle(world, session).claims.map(\.id)) == Set(ids))
        await world.close()
    }

    @Test("What was handed out before the pause can still be settled, and frees its place")
    func settleWhilePaused() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        _ = try await add(world, 1)
        let ticket = try #require(try await cycle(world, session).claims.first)
        try await world.queue.setMode(.paused, of: "alpha", reason: "", by: "")
        let request = CycleRequest(queue: "alpha", acknowledgements: [Acknowledgement(ticket, .finished)], want: 10)
        _ = try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
        #expect(try await world.redis.send(["HGET", "{\(world.namespace):alpha}:m", "active"]).integer == 0)
        await world.close()
    }

    @Test("Claims without Redis leave a paused queue alone and take the others")
    func withoutRedis() async throws {
        let world = try await World.fresh()
        _ = try await add(world, 2)
        let other = try await world.queue.enqueue([NewJob(kind: "k", queue: "beta")])
        _ = try await world.queue.setMode(.paused, of: "alpha", reason: "", by: "")
        let card = WorkerCard(host: "h", processID: 1, version: "v", queues: [], kinds: [], slots: 10)
        let session = try await world.ledger.openSession(card, lease: .seconds(30))
        func claim() async throws -> [Int] {
            let sql = Ledger.claimWithoutRedis(queues: ["alpha", "beta"], limit: 10, session: session)
            return try Ledger.claimed(await world.postgres.query(sql)).map(\.id)
        }
        #expect(try await claim() == other)
        _ = try await world.queue.setMode(.open, of: "alpha", reason: "", by: "")
        #expect(try await claim().count == 2)
        await world.close()
    }

    @Test("A rebuild restores the pause, and a lost hint is told again")
    func restored() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let world = try await World.fresh(redisURL: redis.url).agreed()
        try await world.queue.setMode(.paused, of: "alpha", reason: "", by: "")
        let meta = "{\(world.namespace):alpha}:m"
        _ = try await world.redis.send(["FLUSHALL"])
        let session = try await world.ledger.openSession(
            WorkerCard(host: "h", processID: 1, version: "v", queues: [], kinds: [], slots: 10),
            lease: .seconds(30)
        )
        // The first command that is refused makes this process look again.
        await #expect(throws: (any Error).self) { try await cycle(world, session) }
        world.dispatch.suspect(RedisError(.server(prefix: "GCGEN"), "wiped"))
        try await world.agreed()
        #expect(try await world.redis.send(["HGET", meta, "paused"]).string == "1")
        _ = try await world.redis.send(["HDEL", meta, "paused"])
        try await world.dispatch.refreshModes()
        #expect(try await world.redis.send(["HGET", meta, "paused"]).string == "1")
        await world.close()
        await redis.stop()
    }

    @Test("Telling Redis of modes never stands in for the check that it is the one the ledger knows")
    func neverTrusted() async throws {
        let world = try await World.fresh()
        _ = try await world.redis.send(["PING"])
        try await world.dispatch.refreshModes()
        #expect(!world.dispatch.isAgreed)
        guard case .rebuilt = await world.dispatch.verify() else {
            Issue.record("the check must still find that this Redis was never filled")
            return
        }
        await world.close()
    }

    @Test("A closed queue refuses new jobs with its name, inside a transaction too, and hands out those it has")
    func close() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        let ids = try await add(world, 2)
        try await world.queue.setMode(.closed, of: "alpha", reason: "", by: "")
        await #expect(throws: QueueClosed.self) { try await add(world) }
        await #expect(throws: QueueClosed.self) {
            try await world.queue.transaction { transaction in
                _ = try await transaction.sql.query("SELECT 1")
                try await transaction.enqueue([
                    NewJob(kind: "k", queue: "beta"), NewJob(kind: "k", queue: "alpha"),
                ])
            }
        }
        do {
            _ = try await add(world)
        } catch let error as QueueClosed {
            #expect(error.queue == "alpha")
            #expect("\(error)".contains("groundcrew resume alpha"))
        }
        #expect(try await world.count("true") == 2)
        #expect(try await world.queue.enqueue([NewJob(kind: "k", queue: "beta")]).count == 1)
        #expect(Set(try await cycle(world, session).claims.map(\.id)) == Set(ids))
        try await world.queue.setMode(.open, of: "alpha", reason: "", by: "")
        #expect(try await add(world).count == 1)
        await world.close()
    }

    @Test("The oldest ready age leaves out paused queues, delayed jobs and tenants at their cap")
    func oldestReady() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.query(Ledger.set(QueueLimit(queue: "alpha", tenant: "capped", concurrency: 1)))
        try await world.agreed()
        let session = try await world.session()
        let running = try await add(world, 1, tenant: "capped")
        _ = try await world.postgres.query(Ledger.claim(running, session: session))
        _ = try await add(world, 1, tenant: "capped")
        _ = try await add(world, 1, tenant: "free")
        _ = try await world.queue.enqueue([NewJob(kind: "k", queue: "beta")])
        try await world.queue.setMode(.paused, of: "beta", reason: "", by: "")
        _ = try await world.postgres.query(
            """
            UPDATE jobs SET run_at = now() - CASE tenant WHEN 'free' THEN interval '100 seconds'
              ELSE interval '1000 seconds' END WHERE state = 'queued'
            """
        )
        let queues = try await Inspector(world.queue).fleet().queues
        let age = try #require(queues["alpha"]?.oldestReady)
        #expect((99.0...200).contains(age))
        #expect(queues["alpha"]?.ready == 2)
        #expect(queues["beta"]?.oldestReady == nil)
        #expect(queues["beta"]?.mode == .paused && queues["beta"]?.ready == 1)
        await world.close()
    }

    @Test("A frame knows what came in and what went out since the one before")
    func frames() async throws {
        let world = try await World.fresh().agreed()
        let inspector = Inspector(world.queue)
        let session = try await world.session()
        let first = try await inspector.frame(after: nil)
        #expect(first.rates.isEmpty && first.workers.count == 1)
        let ids = try await add(world, 10)
        let claimed = try Ledger.claimed(await world.postgres.query(Ledger.claim(ids, session: session)))
        let done = claimed.prefix(4).map { SettledJob(id: $0.id, attempt: $0.attempt, settlement: .done) }
        _ = try await world.postgres.query(Ledger.finish(done))
        _ = try await add(world, 3, tenant: "whale")
        let second = try await inspector.frame(after: first)
        let rate = try #require(second.rates["alpha"])
        #expect(abs(rate.left / rate.entered - 4.0 / 13) < 0.001)
        #expect(second.rates["beta"]?.entered == 0 && second.rates["beta"]?.left == 0)
        #expect(second.workers.first?.now.count == 6)
        #expect(second.tenants.first?.tenant == "whale" && second.tenants.first?.ready == 3)
        await world.close()
    }
}
