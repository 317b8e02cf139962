import Embedded
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

@Suite("Results: awaited with a deadline, over one subscription", .serialized)
struct ResultTests {
    private func running(_ world: World, _ count: Int = 1) async throws -> [ClaimedJob] {
        let jobs = (0..<count).map { _ in NewJob(kind: "k", queue: "alpha", maxAttempts: 1) }
        let ids = try await world.queue.enqueue(jobs)
        let session = try await world.session()
        return try Ledger.claimed(await world.postgres.query(Ledger.claim(ids, session: session)))
    }

    private func end(_ world: World, _ job: ClaimedJob, _ settlement: Settlement) async throws {
        let settled = SettledJob(id: job.id, attempt: job.attempt, settlement: settlement)
        _ = try await world.postgres.query(Ledger.settle([settled]))
        await world.queue.announce(ended: [job.id], followed: [])
    }

    @Test("A hundred wait for fifty jobs: each gets its answer at once, over one subscription")
    func many() async throws {
        let world = try await World.fresh().agreed()
        let jobs = try await running(world, 50)
        let waiters = Task {
            try await withThrowingTaskGroup(of: (Int, JobEnd).self) { group in
                for job in jobs + jobs {
                    group.addTask { (job.id, try await world.queue.result(of: job.id, within: .seconds(20))) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        try await eventually(within: .seconds(5), "the subscription") { world.dispatch.notices.isSubscribed }
        let channel = "\(world.namespace):ended"
        let count = try await world.redis.send(["PUBSUB", "NUMSUB", channel]).array?.last?.integer
        #expect(count == 1)
        for job in jobs { try await end(world, job, .finished(result: #"{"id": \#(job.id)}"#)) }
        let ends = try await waiters.value
        #expect(ends.count == 100)
        for (id, end) in ends { #expect(end == .done(result: #"{"id": \#(id)}"#)) }
        await world.close()
    }

    @Test("A notice ends the wait long before the net under lost ones")
    func notice() async throws {
        let world = try await World.fresh().agreed()
        let job = try await running(world)[0]
        async let result = world.queue.result(of: job.id, within: .seconds(20))
        try await eventually(within: .seconds(5), "the subscription") { world.dispatch.notices.isSubscribed }
        let start = ContinuousClock.now
        try await end(world, job, .finished(result: "7"))
        #expect(try await result == .done(result: "7"))
        #expect(start.duration(to: .now) < .seconds(1))
        await world.close()
    }

    @Test("Dead and cancelled are ends too; what ended before is known at once")
    func ends() async throws {
        let world = try await World.fresh().agreed()
        let jobs = try await running(world, 3)
        try await end(world, jobs[0], .dead(.failed, error: "boom"))
        try await end(world, jobs[1], .cancelled("moot"))
        try await end(world, jobs[2], .done)
        #expect(try await world.queue.result(of: jobs[0].id, within: .zero) == .dead(.failed, error: "boom"))
        #expect(try await world.queue.result(of: jobs[1].id, within: .zero) == .cancelled(error: "moot"))
        #expect(try await world.queue.result(of: jobs[2].id, within: .zero) == .done(result: nil))
        await world.close()
    }

    @Test("The deadline holds, and an unknown job is said to be unknown")
    func deadline() async throws {
        let world = try await World.fresh().agreed()
        let job = try await running(world)[0]
        let start = ContinuousClock.now
        await #expect(throws: ResultError.notYet(job.id, after: .milliseconds(300))) {
            try await world.queue.result(of: job.id, within: .milliseconds(300))
        }
        #expect(start.duration(to: .now) < .seconds(2))
        await #expect(throws: ResultError.unknownJob(4711)) {
            try await world.queue.result(of: 4711, within: .seconds(5))
        }
        await world.close()
    }

    @Test("Without Redis the result comes all the same")
    func withoutRedis() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let world = try await World.fresh(redisURL: redis.url)
        let ids = try await world.queue.enqueue([NewJob(kind: "k", queue: "alpha")])
        await redis.stop()
        async let result = world.queue.result(of: ids[0], within: .seconds(20))
        _ = try await world.postgres.query("UPDATE jobs SET state = 'done', result = '1' WHERE id = \(ids[0])")
        #expect(try await result == .done(result: "1"))
        await world.close()
    }

    @Test("Of many reports of progress the newest is written, in one statement, and only for the attempt that runs")
    func progress() async throws {
        let world = try await World.fresh().agreed()
        let jobs = try await running(world, 2)
        let board = ProgressBoard()
        for step in 0...10_000 {
            board.report(ProgressReport(job: jobs[0].id, attempt: 1, done: Double(step) / 10_000, text: "page \(step)"))
        }
        board.report(ProgressReport(job: jobs[1].id, attempt: 9, done: .nan, text: ""))
        let reports = board.take()
        #expect(reports.count == 2 && board.take().isEmpty)
        _ = try await world.postgres.query(Ledger.progress(reports))
        #expect(try await Inspector(world.queue).job(jobs[0].id)?.progress == "100% page 10000")
        #expect(try await Inspector(world.queue).job(jobs[1].id)?.progress == nil)
        await world.close()
    }
}
