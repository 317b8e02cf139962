import Domain
import Embedded
import Foundation
import PostgresClient
import Queue
import RedisClient
import Stores
import TestSupport
import Testing

/// Ring 3: what callers and jobs notice while a server is away, full or hangs. `bench/degraded.py` measures the same for longer.
@Suite("Degraded modes", .serialized)
struct DegradedTests {
    private func probes(_ count: Int, milliseconds: Int = 5, from first: Int = 0) -> [NewJob] {
        (first..<first + count).map { number in
            let payload = #"{"key":"\#(number)","milliseconds":\#(milliseconds)}"#
            return NewJob(kind: "test.probe", queue: "maint", tenant: "t\(number % 3)", payload: payload)
        }
    }

    private static let effects: SQL = "CREATE TABLE probe_effects (key text, job bigint, attempt int)"

    /// All keys have their effect, once.
    private func areDone(_ count: Int, _ world: World) async throws -> Bool {
        let result = try await world.postgres.query("SELECT count(*), count(DISTINCT key) FROM probe_effects")
        let (all, different) = try result.first?.decode(Int.self, Int.self) ?? (0, 0)
        #expect(all == different, "an effect was committed twice")
        return different == count
    }

    @Test("Redis hangs, then is killed and comes back: callers are answered and jobs are done all the while")
    func redisAway() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        let redis = await fleet.redis.processID
        kill(redis, SIGSTOP)
        _ = try await fleet.world.postgres.query(Ledger.insert(probes(100)))
        try await eventually(within: .seconds(30), "the jobs to be done without an answer of Redis") {
            try await areDone(100, fleet.world)
        }
        #expect(try await caller.call("GET", "/api/engagements").status == 200)
        await fleet.redis.kill()
        try await fleet.world.queue.enqueue(probes(100, from: 100))
        try await eventually(within: .seconds(30), "health to say that Redis is away") {
            let health = try await caller.call("GET", "/api/health")
            return health.status == 200 && health.body["status"] == "degraded" && health.body["redis"] == false
        }
        let started = try await caller.startRun(tasks: [
            ["id": "a", "title": "A", "simulate": ["ms": 5, "costUsd": 0.01]]
        ])
        try await fleet.redis.restart()
        try await eventually(within: .seconds(30), "health to be good again") {
            try await caller.call("GET", "/api/health").body["status"] == "ok"
        }
        try await fleet.world.queue.enqueue(probes(100, from: 200))
        try await eventually(within: .seconds(30), "all jobs and the run") {
            let status = try await caller.call("GET", "/api/engagements/\(started)/status").body["status"]
            return try await areDone(300, fleet.world) && status == "completed"
        }
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test("Postgres is killed and comes back: 503 at once, from health too; no job is lost or done twice")
    func postgresAway() async throws {
        let server = try await TestStack.shared().dedicatedPostgres(durability: .durable)
        let fleet = try await FleetUnderTest(databaseURL: server.url)
        let world = try await World.on(server.url, like: fleet.world)
        _ = try await world.postgres.query(Self.effects)
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port, stores: world.stores)
        try await world.queue.enqueue(probes(300, milliseconds: 200))
        try await eventually(within: .seconds(20), "the first jobs to be done") {
            try await world.count("state = 'done'") > 20
        }
        await server.kill()
        for path in ["/api/health", "/api/engagements", "/api/health", "/api/engagements"] {
            let began = ContinuousClock.now
            #expect(try await caller.call("GET", path).status == 503, "\(path)")
            // 30 ms on a quiet machine.
            #expect(began.duration(to: .now) < .seconds(3), "\(path)")
        }
        // Longer than 80 % of the lease: the worker gives its session up.
        try await Task.sleep(for: .seconds(2))
        try await server.restart()
        try await eventually(within: .seconds(60), "all jobs to be done, once") {
            (try? await areDone(300, world)) == true
        }
        #expect(try await caller.call("GET", "/api/health").status == 200)
        #expect(try await world.count("state <> 'done'") == 0)
        for process in processes { try await process.stop() }
        await world.close()
        await fleet.close()
        await server.stop()
    }

    @Test("Postgres hangs: 503 within some seconds, then at once, until it answers; workers lose nothing")
    func postgresHangs() async throws {
        let server = try await TestStack.shared().dedicatedPostgres(durability: .durable)
        let fleet = try await FleetUnderTest(lease: 30, databaseURL: server.url)
        let world = try await World.on(server.url, like: fleet.world)
        _ = try await world.postgres.query(Self.effects)
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port, stores: world.stores)
        try await world.queue.enqueue(probes(100, milliseconds: 50))
        try await eventually(within: .seconds(20), "the first jobs to be done") {
            try await world.count("state = 'done'") > 5
        }
        let stopped = await StoppedServer(server.processID)
        var began = ContinuousClock.now
        #expect(try await caller.call("GET", "/api/engagements").status == 503)
        // 2.5 s by the patience with an answer and with a connection; the rest is for a busy machine.
        #expect(began.duration(to: .now) < .seconds(4))
        for path in ["/api/health", "/api/engagements"] {
            began = .now
            #expect(try await caller.call("GET", path).status == 503, "\(path)")
            #expect(began.duration(to: .now) < .seconds(3), "\(path)")
        }
        stopped.go()
        try await eventually(within: .seconds(10), "callers to be served again") {
            try await caller.call("GET", "/api/engagements").status == 200
        }
        try await eventually(within: .seconds(30), "all jobs to be done, once") { try await areDone(100, world) }
        #expect(try await world.count("losses > 0 OR state <> 'done'") == 0)
        for process in processes { try await process.stop() }
        await world.close()
        await fleet.close()
        await server.stop()
    }

    @Test("The API's connections are all busy: a caller waits as long as is set, and gets 503")
    func poolExhausted() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)", extra: ["GC_POOL_SIZE": "2", "GC_POOL_WAIT_MS": "300"])
        let caller = try await Caller.ready(fleet, port: port)
        try await fleet.world.postgres.transaction { lock in
            _ = try await lock.query("LOCK TABLE engagements IN ACCESS EXCLUSIVE MODE")
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Each of them holds a connection until its statement's time is over.
                for _ in 0..<6 { group.addTask { _ = try await caller.call("GET", "/api/engagements/x/status") } }
                try await eventually(within: .seconds(8), "both connections to be busy") {
                    let stuck = try await fleet.world.postgres.query(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock'
                        """
                    )
                    let count = try stuck.first?.decode(Int.self) ?? 0
                    return count == 2
                }
                try await eventually(within: .seconds(8), "a caller to be refused in time") {
                    let began = ContinuousClock.now
                    let status = try await caller.call("GET", "/api/engagements/y/status").status
                    return status == 503 && began.duration(to: .now) < .seconds(2)
                }
                group.cancelAll()
            }
        }
        try await eventually(within: .seconds(20), "callers to be served again") {
            try await caller.call("GET", "/api/engagements").status == 200
        }
        try await api.stop()
        await fleet.close()
    }

    @Test("Redis is full: jobs are accepted and done, health says so, and it heals by itself")
    func redisFull() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        func health() async throws -> JSON { try await caller.call("GET", "/api/health").body }
        try await eventually(within: .seconds(10), "the worker") { try await health()["workers"] == 1 }
        let redis = fleet.world.redis
        _ = try await redis.send(["SET", "ballast", String(repeating: "x", count: 4_000_000)])
        _ = try await redis.send(["CONFIG", "SET", "maxmemory", "4000000"])
        try await eventually(within: .seconds(10), "health to say that Redis is full") {
            let now = try await health()
            return now["status"] == "degraded" && now["redis_full"] == true
        }
        try await fleet.world.queue.enqueue(probes(300))
        try await eventually(within: .seconds(30), "the jobs to be done") { try await areDone(300, fleet.world) }
        _ = try await redis.send(["CONFIG", "SET", "maxmemory", "0"])
        try await eventually(within: .seconds(10), "health to be good again") { try await health()["status"] == "ok" }
        try await fleet.world.queue.enqueue(probes(100, from: 300))
        try await eventually(within: .seconds(20), "jobs through Redis again") { try await areDone(400, fleet.world) }
        for process in processes { try await process.stop() }
        await fleet.close()
    }
}
