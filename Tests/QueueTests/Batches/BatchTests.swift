import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Batches: each callback once, whoever ends the last job", .serialized)
struct BatchTests {
    private let members = (0..<4).map { NewJob(kind: "member", queue: "alpha", tenant: "t\($0)", maxAttempts: 1) }

    private func batch() -> NewBatch {
        NewBatch(
            name: "b",
            onAll: NewJob(kind: "all", queue: "beta", payload: #"{"which":"all"}"#),
            onAnyFailed: NewJob(kind: "any", queue: "beta"),
            onLast: NewJob(kind: "last", queue: "beta", priority: 1)
        )
    }

    private func claimAll(_ world: World) async throws -> [ClaimedJob] {
        let session = try await world.session()
        let sql = Ledger.claimWithoutRedis(queues: ["alpha"], limit: 1000, session: session)
        return try Ledger.claimed(await world.postgres.query(sql))
    }

    private func finish(_ jobs: [ClaimedJob]) -> SQL {
        Ledger.finish(jobs.map { SettledJob(id: $0.id, attempt: $0.attempt, settlement: .done) })
    }

    private func callbacks(_ world: World) async throws -> [String] {
        try await world.postgres.query("SELECT kind FROM jobs WHERE queue = 'beta' ORDER BY kind")
            .map { row in try row.decode(String.self) }
    }

    @Test("All done: the first and the last callback come, once, although results arrive twice and at the same time")
    func all() async throws {
        let world = try await World.fresh().agreed()
        let id = try await world.queue.enqueue(batch(), of: members)
        let claimed = try await claimAll(world)
        #expect(claimed.count == 4 && claimed.allSatisfy(\.hasFollowers))
        #expect(try await world.queue.batch(id)?.progress == 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for job in claimed + claimed { group.addTask { _ = try await world.postgres.query(finish([job])) } }
            try await group.waitForAll()
        }
        let view = try #require(try await world.queue.batch(id))
        #expect(view.state == .done && view.total == 4 && view.pending == 0 && view.failed == 0 && view.progress == 1)
        #expect(try await callbacks(world) == ["all", "last"])
        #expect(try await world.count("kind = 'last' AND priority = 1 AND state = 'queued'") == 1)
        await world.queue.announce(ended: claimed.map(\.id), followed: claimed.map(\.id))
        #expect(await world.dispatch.depths()["beta"] == 2)
        await world.close()
    }

    @Test("Twelve workers settle jobs of six batches across each other: nobody is refused, every callback comes once")
    func crossing() async throws {
        let world = try await World.fresh().agreed()
        var ids: [Int] = []
        for _ in 0..<6 {
            let jobs = (0..<40).map { _ in NewJob(kind: "member", queue: "alpha") }
            ids.append(try await world.queue.enqueue(batch(), of: jobs))
        }
        let claimed = try await claimAll(world).shuffled()
        #expect(claimed.count == 240)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<12 {
                let mine = claimed.enumerated().filter { $0.offset % 12 == part }.map(\.element)
                group.addTask {
                    for from in stride(from: 0, to: mine.count, by: 5) {
                        _ = try await world.postgres.query(finish(Array(mine[from..<min(from + 5, mine.count)])))
                    }
                }
            }
            try await group.waitForAll()
        }
        for id in ids { #expect(try await world.queue.batch(id)?.state == .done) }
        #expect(try await callbacks(world) == Array(repeating: "all", count: 6) + Array(repeating: "last", count: 6))
        #expect(try await world.postgres.query("SELECT 1 FROM workflow_changes").first == nil)
        await world.close()
    }

    @Test("Poison, cancelled, deleted and dead jobs are counted as failed, and the last one ends the batch")
    func failures() async throws {
        let world = try await World.fresh().agreed()
        let id = try await world.queue.enqueue(batch(), of: members)
        let claimed = try await claimAll(world)
        let dead = SettledJob(id: claimed[0].id, attempt: 1, settlement: .dead(.refused, error: "no"))
        _ = try await world.postgres.query(Ledger.settle([dead]))
        #expect(try await callbacks(world) == ["any"])
        _ = try await world.postgres.query("UPDATE jobs SET state = 'cancelled' WHERE id = \(claimed[1].id)")
        _ = try await world.postgres.query("DELETE FROM jobs WHERE id = \(claimed[2].id)")
        #expect(try await world.queue.batch(id)?.pending == 1)
        // The reaper buries the last one.
        _ = try await world.postgres.query("UPDATE jobs SET losses = 2 WHERE id = \(claimed[3].id)")
        _ = try await world.postgres.query("UPDATE worker_sessions SET lease_until = clock_timestamp()")
        _ = try await Reaper(world.ledger, world.dispatch, logger: world.logger).run()
        let view = try #require(try await world.queue.batch(id))
        #expect(view.state == .done && view.failed == 4 && view.pending == 0)
        #expect(try await callbacks(world) == ["any", "last"])
        #expect(view.lastJob != nil && view.anyFailedJob != nil && view.allJob == nil)
        await world.close()
    }

    @Test("An open batch takes more jobs and is not done; a sealed one takes none; an empty one is done at once")
    func sealing() async throws {
        let world = try await World.fresh().agreed()
        let id = try await world.queue.transaction { transaction in try await transaction.open(batch()) }
        var job = members[0]
        job.batch = id
        try await world.queue.enqueue([job])
        _ = try await world.postgres.query(finish(try await claimAll(world)))
        #expect(try await world.queue.batch(id)?.state == .open)
        try await world.queue.enqueue([job])
        #expect(try await world.queue.batch(id)?.pending == 1)
        try await world.queue.seal(batch: id)
        try await world.queue.seal(batch: id)
        #expect(try await world.queue.batch(id)?.state == .running)
        await #expect(throws: PostgresError.self) { try await world.queue.enqueue([job]) }
        _ = try await world.postgres.query(finish(try await claimAll(world)))
        #expect(try await callbacks(world) == ["all", "last"])
        let empty = try await world.queue.enqueue(batch(), of: [])
        #expect(try await world.queue.batch(empty)?.state == .done)
        #expect(try await callbacks(world) == ["all", "all", "last", "last"])
        await world.close()
    }

    @Test("A batch whose transaction rolls back never existed, and a failed statement leaves no counts behind")
    func rollback() async throws {
        struct Stop: Error {}
        let world = try await World.fresh().agreed()
        await #expect(throws: Stop.self) {
            try await world.queue.transaction { transaction in
                let id = try await transaction.open(batch())
                var job = members[0]
                job.batch = id
                try await transaction.enqueue([job])
                throw Stop()
            }
        }
        #expect(try await world.count("true") == 0)
        #expect(
            try await world.postgres.query("SELECT 1 FROM batches UNION SELECT 1 FROM workflow_changes").first == nil
        )
        await world.close()
    }
}
