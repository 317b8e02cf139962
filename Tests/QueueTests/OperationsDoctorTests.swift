import Embedded
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

@Suite("Operations: the doctor and the canaries, on real servers")
struct OperationsDoctorTests {
    private func examine(_ world: World, migrations: [Migration] = []) async throws -> [String: Finding.Level] {
        let doctor = Doctor(world.queue, migrations: migrations, patience: .milliseconds(300))
        let findings = try await doctor.examine()
        for finding in findings where finding.level != .ok {
            #expect(!finding.why.isEmpty && !finding.remedy.isEmpty, "\(finding.check) must say why, and what to do")
        }
        let order: [Finding.Level] = [.ok, .warn, .bad]
        return Dictionary(findings.map { ($0.check, $0.level) }) { first, second in
            (order.firstIndex(of: first) ?? 0) > (order.firstIndex(of: second) ?? 0) ? first : second
        }
    }

    private func add(_ world: World, _ count: Int = 1) async throws -> [Int] {
        try await world.queue.enqueue((0..<count).map { _ in NewJob(kind: "k", queue: "alpha", tenant: "t") })
    }

    private func keepScheduler(_ world: World) async throws {
        _ = try await world.postgres.query(
            """
            INSERT INTO scheduler_state (holder, host, pid, active_since, lease_until)
            VALUES ('me', 'here', 1, now(), now() + interval '1 hour')
            """
        )
    }

    private func worker(_ world: World, kinds: [String] = ["k"]) async throws -> Int {
        let card = WorkerCard(
            host: "here",
            processID: 1,
            version: "v",
            queues: ["alpha", "maint"],
            kinds: kinds,
            slots: 10
        )
        let id = try await world.ledger.openSession(card, lease: .seconds(600))
        try await world.dispatch.open(session: id)
        return id
    }

    @Test("A healthy installation has nothing bad but the throwaway Postgres of the tests")
    func healthy() async throws {
        let world = try await World.fresh().agreed()
        try await keepScheduler(world)
        _ = try await worker(world)
        _ = try await add(world, 5)
        let findings = try await examine(world)
        #expect(findings["postgres.durability"] == .bad)
        let others = findings.filter { $0.key != "postgres.durability" && $0.key != "redis.policy" }
        #expect(others.allSatisfy { $0.value == .ok }, "\(others)")
        #expect(others.count >= 12)
        await world.close()
    }

    @Test("Jobs that Redis does not know are found; so are ids whose jobs are gone; one second look spares the busy")
    func drift() async throws {
        let world = try await World.fresh().agreed()
        try await keepScheduler(world)
        _ = try await worker(world)
        let ids = try await add(world, 3)
        _ = try await world.postgres.query("UPDATE jobs SET created_at = now() - interval '1 minute'")
        let records = "{\(world.namespace):alpha}:b"
        _ = try await world.redis.send(["HDEL", records, String(ids[0])])
        _ = try await world.redis.send(["HSET", records, "987654", "t\u{1F}2"])
        let findings = try await examine(world)
        #expect(findings["drift.unknown"] == .bad)
        #expect(findings["drift.ghosts"] == .warn)
        let sweeper = Sweeper(world.ledger, world.dispatch, logger: world.logger)
        #expect(try await sweeper.run() == 1)
        _ = try await world.redis.send(["HDEL", records, "987654"])
        #expect(try await examine(world)["drift"] == .ok)
        await world.close()
    }

    @Test("A pause that Redis was not told of is drift")
    func modeDrift() async throws {
        let world = try await World.fresh().agreed()
        try await world.queue.setMode(.paused, of: "alpha", reason: "", by: "me")
        #expect(try await examine(world)["queue.mode"] == .warn)
        #expect(try await examine(world)["drift.mode"] == nil)
        _ = try await world.redis.send(["HDEL", "{\(world.namespace):alpha}:m", "paused"])
        #expect(try await examine(world)["drift.mode"] == .bad)
        await world.close()
    }

    @Test("No scheduler, no worker for ready jobs, and a session that nobody ends are bad")
    func processes() async throws {
        let world = try await World.fresh().agreed()
        #expect(try await examine(world)["workers"] == .warn)
        _ = try await add(world)
        var findings = try await examine(world)
        #expect(findings["scheduler"] == .bad && findings["workers"] == .bad)
        let session = try await worker(world)
        _ = try await world.postgres.query(
            "UPDATE worker_sessions SET lease_until = now() - interval '9 seconds' WHERE id = \(session)"
        )
        findings = try await examine(world)
        #expect(findings["workers.lease"] == .bad)
        _ = try await world.postgres.query(
            """
            UPDATE worker_sessions SET renewed_at = now() - interval '8 seconds', lease_until = now() + interval '2 seconds'
            WHERE id = \(session)
            """
        )
        #expect(try await examine(world)["workers.heartbeat"] == .warn)
        await world.close()
    }

    @Test("Running jobs without a live session, ready ones that wait long, dead ones and unreadable ones are told")
    func work() async throws {
        let world = try await World.fresh().agreed()
        try await keepScheduler(world)
        let session = try await worker(world, kinds: ["other"])
        let ids = try await add(world, 4)
        _ = try await world.postgres.query(Ledger.claim([ids[0]], session: session))
        _ = try await world.postgres.pipeline([
            "UPDATE jobs SET session = 424242 WHERE id = \(ids[0])",
            "UPDATE jobs SET run_at = now() - interval '20 minutes' WHERE id = \(ids[1])",
            "UPDATE jobs SET state = 'dead', dead_reason = 'failed', finished_at = now() WHERE id = \(ids[2])",
        ])
        let findings = try await examine(world)
        #expect(findings["stuck"] == .bad)
        #expect(findings["oldest"] == .bad)
        #expect(findings["dead"] == .warn)
        #expect(findings["workers.kinds"] == .bad)
        await world.close()
    }

    @Test("A migration that is missing, and one that was changed, are bad")
    func schema() async throws {
        let world = try await World.fresh().agreed()
        let future = Migration(name: "9999_future", sql: "SELECT 1")
        #expect(try await examine(world, migrations: [future])["schema"] == .bad)
        let forged = Migration(name: "0001_queue", sql: "SELECT 1")
        #expect(try await examine(world, migrations: [forged])["schema"] == .bad)
        await world.close()
    }

    @Test("A Redis that evicts, that is another one, or that is away is bad")
    func redis() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let world = try await World.fresh(redisURL: redis.url).agreed()
        _ = try await world.redis.send(["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
        #expect(try await examine(world)["redis.policy"] == .bad)
        _ = try await world.redis.send(["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        _ = try await world.redis.send(["CONFIG", "SET", "maxmemory", "900000"])
        #expect(try await examine(world)["redis.memory"] == .bad)
        _ = try await world.redis.send(["CONFIG", "SET", "maxmemory", "0"])
        _ = try await world.redis.send(["FLUSHALL"])
        #expect(try await examine(world)["redis.generation"] == .bad)
        await redis.stop()
        let findings = try await examine(world)
        #expect(findings["redis.reach"] == .bad)
        #expect(findings["drift"] == nil)
        await world.close()
    }

    @Test("Canaries report queues that move, skip paused ones, and take back those that were not picked up")
    func canaries() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.setMode(.paused, of: "beta", reason: "", by: "")
        async let reports = Canaries(world.queue).send(
            NewJob(kind: "maint.canary", queue: "maint"),
            through: ["alpha", "beta", "maint"],
            within: .seconds(2)
        )
        var claimed: [ClaimedJob] = []
        try await eventually(within: .seconds(2), "the canary of alpha") {
            let request = CycleRequest(queue: "alpha", acknowledgements: [], want: 1)
            let reply = try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
            let ids = reply.claims.map(\.id)
            claimed = try Ledger.claimed(await world.postgres.query(Ledger.claim(ids, session: session)))
            return !claimed.isEmpty
        }
        let done = claimed.map { SettledJob(id: $0.id, attempt: $0.attempt, settlement: .done) }
        _ = try await world.postgres.query(Ledger.finish(done))
        let seen = try await reports
        #expect(seen.map(\.queue) == ["alpha", "beta", "maint"])
        guard case .arrived(let picked, let finished) = seen[0].result else {
            Issue.record("alpha: \(seen[0].result)")
            return
        }
        #expect(picked >= 0 && finished >= picked)
        #expect(seen[1].result == .skipped(.paused))
        #expect(seen[2].result == .lost)
        #expect(try await world.count("state = 'cancelled' AND queue = 'maint'") == 1)
        #expect(try await world.count("state IN ('queued','running')") == 0)
        await world.close()
    }
}
