import Embedded
import PostgresClient
import Queue
import RedisClient
import Synchronization
import TestSupport
import Testing

@Suite("Concurrency keys: so many jobs of a key at once, on real servers")
struct KeyLimitTests {
    private func jobs(
        _ count: Int,
        key: String?,
        limit: Int = 2,
        tenant: String = "t",
        priority: Int = 5,
        delay: Duration = .zero
    ) -> [NewJob] {
        (0..<count).map { _ in
            NewJob(
                kind: "k",
                queue: "alpha",
                tenant: tenant,
                priority: priority,
                delay: delay,
                concurrency: key.map { ConcurrencyKey($0, limit: limit) }
            )
        }
    }

    @discardableResult
    private func cycle(
        _ world: World,
        _ session: Int,
        _ want: Int,
        _ settled: [Acknowledgement] = []
    ) async throws -> CycleReply {
        let request = CycleRequest(queue: "alpha", acknowledgements: settled, want: want)
        return try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
    }

    /// Claims in Redis and in the ledger, as a worker does.
    private func claim(_ world: World, _ session: Int, _ want: Int) async throws -> [Ticket] {
        let tickets = try await cycle(world, session, want).claims
        let taken = try await world.postgres.query(Ledger.claim(tickets.map(\.id), session: session))
        #expect(taken.count == tickets.count)
        return tickets
    }

    /// Nothing that belongs to keys is left in Redis.
    private func expectNoTrace(_ world: World) async throws {
        for name in ["ka", "kn", "kh"] {
            let left = try await world.redis.send(["HLEN", "{\(world.namespace):alpha}:\(name)"]).integer
            #expect(left == 0, "\(name)")
        }
    }

    /// What eight claimers run together, by key.
    private final class Tally: Sendable {
        private struct State {
            var running: [String: Int] = [:]
            var most = 0
            var done = 0
        }

        private let keys: [Int: String]
        private let state = Mutex(State())

        init(_ keys: [Int: String]) {
            self.keys = keys
        }

        var most: Int { state.withLock { $0.most } }
        var done: Int { state.withLock { $0.done } }

        func began(_ tickets: [Ticket]) {
            state.withLock { state in
                for ticket in tickets { state.running[keys[ticket.id] ?? "", default: 0] += 1 }
                state.most = max(state.most, state.running.values.max() ?? 0)
            }
        }

        func ended(_ tickets: [Ticket]) {
            state.withLock { state in
                for ticket in tickets { state.running[keys[ticket.id] ?? "", default: 0] -= 1 }
                state.done += tickets.count
            }
        }
    }

    @Test("Eight claimers at once never run more of a key than may, and all thousand jobs are done")
    func holds() async throws {
        let world = try await World.fresh().agreed()
        try await world.queue.enqueue((0..<1000).map { jobs(1, key: "key \($0 % 10)", limit: 3)[0] })
        let keys = Dictionary(
            uniqueKeysWithValues: try await world.postgres.query("SELECT id, concurrency_key FROM jobs").map { row in
                try row.decode(Int.self, String.self)
            }
        )
        let tally = Tally(keys)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let session = try await world.session()
                    var held: [Ticket] = []
                    while tally.done < 1000 {
                        // Given back before Redis hears of it: what is counted here is never too much.
                        tally.ended(held)
                        held = try await cycle(world, session, 7, held.map { Acknowledgement($0, .finished) }).claims
                        tally.began(held)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(tally.most == 3)
        #expect(tally.done == 1000)
        try await expectNoTrace(world)
        await world.close()
    }

    @Test(
        "A place is free again when its job is done, waits for later, or is cancelled while it waits; not when it goes back"
    )
    func released() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(5, key: "k", limit: 1))
        var held = try await claim(world, session, 9)
        #expect(held.count == 1)
        // Done.
        held = try await cycle(world, session, 9, [Acknowledgement(held[0], .finished)]).claims
        #expect(held.count == 1)
        // Snoozed, or failed and to be tried again.
        let later = held[0]
        held = try await cycle(world, session, 9, [Acknowledgement(later, .again(due: 4_000_000_000_000))]).claims
        #expect(held.count == 1 && held[0].id != later.id)
        // Back to the front unrun: it keeps its place and comes first.
        let back = try await cycle(world, session, 9, [Acknowledgement(held[0], .handBack)]).claims
        #expect(back.map(\.id) == held.map(\.id))
        // Cancelled while it waits: one that has the place, and one that stands in line.
        _ = try await cycle(world, session, 0, [Acknowledgement(back[0], .handBack)])
        await world.dispatch.forget([back[0].id, back[0].id + 1], queue: "alpha")
        let last = try await cycle(world, session, 9).claims
        #expect(last.count == 1 && last[0].id == back[0].id + 2)
        _ = try await cycle(world, session, 0, [Acknowledgement(last[0], .finished)])
        await world.dispatch.forget([later.id], queue: "alpha")
        try await expectNoTrace(world)
        await world.close()
    }

    @Test("A lost worker's jobs keep their places until they have run, each counted once")
    func lostWorker() async throws {
        let world = try await World.fresh().agreed()
        let (first, second) = (try await world.session(), try await world.session())
        try await world.queue.enqueue(jobs(5, key: "k", limit: 2))
        let held = try await claim(world, first, 9)
        #expect(held.count == 2)
        _ = try await world.postgres.query(
            "UPDATE worker_sessions SET lease_until = now() - interval '1 second' WHERE id = \(first)"
        )
        #expect(try await Reaper(world.ledger, world.dispatch, logger: world.logger).run() == 2)
        let again = try await claim(world, second, 9)
        #expect(Set(again.map(\.id)) == Set(held.map(\.id)))
        let next = try await cycle(world, second, 9, again.map { Acknowledgement($0, .finished) }).claims
        #expect(next.count == 2)
        await world.close()
    }

    @Test("After FLUSHALL a rebuild books what runs and lines up what waits: the cap holds")
    func rebuild() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let world = try await World.fresh(redisURL: redis.url).agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(6, key: "k", limit: 2) + jobs(1, key: nil))
        let held = try await claim(world, session, 9)
        #expect(held.count == 3)
        _ = try await world.redis.send(["FLUSHALL"])
        world.dispatch.startOver()
        try await world.agreed()
        #expect(try await cycle(world, session, 9).claims.isEmpty)
        let keyed = try await world.dispatch.held(by: session, queues: ["alpha"])
        #expect(Set(keyed.map(\.id)) == Set(held.map(\.id)))
        let next = try await cycle(world, session, 9, keyed.map { Acknowledgement($0, .finished) }).claims
        #expect(next.count == 2)
        await world.close()
        await redis.stop()
    }

    @Test("A tenant with a hundred keys gets no more of the workers than one with none")
    func fairness() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        let many = (0..<400).map { jobs(1, key: "key \($0 % 100)", limit: 4, tenant: "many")[0] }
        let keyed = Set(try await world.queue.enqueue(many))
        try await world.queue.enqueue(jobs(400, key: nil, tenant: "none"))
        var share = 0
        for _ in 0..<200 {
            let claims = try await cycle(world, session, 1).claims
            share += claims.count { keyed.contains($0.id) }
            try await cycle(world, session, 0, claims.map { Acknowledgement($0, .finished, milliseconds: 10) })
        }
        #expect((90...110).contains(share), "the tenant with keys got \(share) of 200 starts")
        await world.close()
    }

    @Test("A delayed job takes a place when it has come due, not before; urgent ones in line go first")
    func delayed() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(1, key: "k", limit: 1, delay: .seconds(2)))
        try await world.queue.enqueue(jobs(2, key: "k", limit: 1, priority: 9))
        let urgent = try await world.queue.enqueue(jobs(1, key: "k", limit: 1, priority: 0))
        let first = try await cycle(world, session, 9).claims
        #expect(first.count == 1)
        let second = try await cycle(world, session, 9, [Acknowledgement(first[0], .finished)]).claims
        #expect(second.map(\.id) == urgent)
        try await cycle(world, session, 0, [Acknowledgement(second[0], .finished)])
        var done = 0
        try await eventually(within: .seconds(20), "the delayed job") {
            let claims = try await cycle(world, session, 9).claims
            #expect(claims.count <= 1)
            done += claims.count
            try await cycle(world, session, 0, claims.map { Acknowledgement($0, .finished) })
            return done == 2
        }
        try await expectNoTrace(world)
        await world.close()
    }

    @Test("An operator's limit goes before the job's own, for one key or for each; taken back, the old one holds")
    func operators() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        func tell(_ sql: SQL) async throws {
            _ = try await world.postgres.query(sql)
            try await world.dispatch.refreshLimits()
        }
        try await world.queue.enqueue(jobs(9, key: "a%\u{1E}b\u{1F}", limit: 1) + jobs(9, key: "other", limit: 1))
        #expect(try await cycle(world, session, 50).claims.count == 2)
        try await tell(Ledger.set(KeyLimit(queue: "alpha", key: "a%\u{1E}b\u{1F}", concurrency: 3)))
        #expect(try await cycle(world, session, 50).claims.count == 2)
        try await tell(Ledger.set(KeyLimit(queue: "alpha", concurrency: 4)))
        #expect(try await cycle(world, session, 50).claims.count == 3)
        #expect(try await world.ledger.keyLimits().map(\.concurrency) == [4, 3])
        try await tell(Ledger.removeKeyLimit(queue: "alpha", key: "a%\u{1E}b\u{1F}"))
        #expect(try await cycle(world, session, 50).claims.count == 1)
        try await tell(Ledger.set(KeyLimit(queue: "alpha", concurrency: 0)))
        #expect(try await cycle(world, session, 50).claims.count == 10)
        try await tell(Ledger.removeKeyLimit(queue: "alpha", key: nil))
        let late = try await world.queue.enqueue(jobs(1, key: "other", limit: 1))
        #expect(late.count == 1)
        #expect(try await cycle(world, session, 50).claims.isEmpty)
        await world.close()
    }

    @Test("Why a job waits: its key has as many running as may; it is not counted as one that a worker could take")
    func reason() async throws {
        let world = try await World.fresh()
        let card = WorkerCard(host: "h", processID: 1, version: "v", queues: ["alpha"], kinds: ["k"], slots: 9)
        let session = try await world.ledger.openSession(card, lease: .seconds(60))
        let ids = try await world.queue.enqueue(jobs(3, key: "endpoint 7", limit: 2))
        _ = try await world.postgres.query(Ledger.claim(Array(ids.prefix(2)), session: session))
        let inspector = Inspector(world.queue)
        let job = try #require(try await inspector.job(ids[2]))
        #expect(job.concurrencyKey == "endpoint 7")
        let view = try #require(try await inspector.waitingReason(of: job))
        #expect(view.reason == .keyCap)
        #expect(view.text == "its key endpoint 7 has 2 of 2 running")
        #expect(try await world.ledger.oldestReady(in: ["alpha"]) == nil)
        _ = try await world.postgres.query(Ledger.set(KeyLimit(queue: "alpha", concurrency: 3)))
        #expect(try await inspector.waitingReason(of: job)?.reason == .next)
        #expect(try await world.ledger.oldestReady(in: ["alpha"]) != nil)
        await world.close()
    }

    @Test("Jobs with rules of uniqueness have keys too; a key that is too long is refused with its length")
    func ways() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        for number in 0..<3 {
            let job = NewJob(
                kind: "k",
                queue: "alpha",
                tenant: "t",
                uniqueness: Uniqueness("u\(number)", scope: .whileWaiting),
                concurrency: ConcurrencyKey("k", limit: 1)
            )
            #expect(try await world.queue.add(job).wasAdded)
        }
        #expect(try await cycle(world, session, 9).claims.count == 1)
        let error = await #expect(throws: EnqueueError.self) {
            try await world.queue.enqueue(jobs(1, key: String(repeating: "é", count: 101)))
        }
        #expect(error?.description.contains("202 bytes") == true)
        await world.close()
    }

    @Test("Jobs in the line of a key count as waiting for backpressure, and the doctor finds a place that nobody has")
    func counted() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        try await world.queue.enqueue(jobs(5, key: "k", limit: 1))
        let load = try await world.redis.send([
            "HGET", "{\(world.namespace):alpha}:kn", "t",
        ]).integer
        #expect(load == 4)
        func drift() async throws -> Set<String> {
            let doctor = Doctor(world.queue, migrations: [], patience: .milliseconds(50))
            return Set(try await doctor.examine().map(\.check))
        }
        #expect(try await !drift().contains("drift.places"))
        _ = try await world.redis.send(["HSET", "{\(world.namespace):alpha}:kh", "987654321", "t\u{1E}gone"])
        #expect(try await drift().contains("drift.places"))
        #expect(try await world.dispatch.tidyPlaces() == 1)
        #expect(try await !drift().contains("drift.places"))
        _ = session
        await world.close()
    }
}
