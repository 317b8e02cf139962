import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Steps: jobs that wait for other jobs", .serialized)
struct StepTests {
    private func add(_ world: World, after: [Int] = [], evenIfFailed: Bool = false) async throws -> Int {
        let job = NewJob(kind: "k", queue: "alpha", after: after, evenIfFailed: evenIfFailed)
        return try #require(try await world.queue.enqueue([job]).first)
    }

    private func end(_ world: World, _ id: Int, _ settlement: Settlement = .done) async throws {
        let session = try await world.session()
        let claimed = try Ledger.claimed(await world.postgres.query(Ledger.claim([id], session: session)))
        let job = try #require(claimed.first)
        let jobs = [SettledJob(id: id, attempt: job.attempt, settlement: settlement)]
        _ = try await world.postgres.query(Ledger.settle(jobs))
        await world.queue.announce(ended: [id], followed: [id])
    }

    private func state(_ world: World, _ id: Int) async throws -> String {
        try await world.postgres.query(
            "SELECT state || ' ' || blocked_by || CASE WHEN run_at > clock_timestamp() THEN ' later' ELSE '' END FROM jobs WHERE id = \(id)"
        ).first?.decode(String.self) ?? "gone"
    }

    @Test("A step is released by the last of those it waits for, and Redis hears of it only then")
    func release() async throws {
        let world = try await World.fresh().agreed()
        let (a, b) = (try await add(world), try await add(world))
        let step = try await add(world, after: [a, b, a])
        #expect(try await state(world, step) == "queued 2 later")
        #expect(await world.dispatch.depths()["alpha"] == 2)
        let sweeper = Sweeper(world.ledger, world.dispatch, logger: world.logger)
        #expect(try await sweeper.run() == 0)
        try await end(world, a)
        #expect(try await state(world, step) == "queued 1 later")
        try await end(world, b)
        #expect(try await state(world, step) == "queued 0")
        #expect(await world.dispatch.depths()["alpha"] == 3)
        try await end(world, step)
        await world.close()
    }

    @Test("Two parents that end at the same moment release the step once")
    func race() async throws {
        let world = try await World.fresh().agreed()
        for _ in 0..<10 {
            let parents = [try await add(world), try await add(world), try await add(world)]
            let step = try await add(world, after: parents)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for parent in parents { group.addTask { try await end(world, parent) } }
                try await group.waitForAll()
            }
            #expect(try await state(world, step) == "queued 0")
        }
        await world.close()
    }

    @Test("A step enqueued while its parent is being settled is never left behind")
    func late() async throws {
        let world = try await World.fresh().agreed()
        for _ in 0..<20 {
            let parent = try await add(world)
            async let ended: Void = end(world, parent)
            let step = try await add(world, after: [parent])
            try await ended
            #expect(try await state(world, step) == "queued 0")
        }
        await world.close()
    }

    @Test("A failed parent cancels its steps and theirs, with a reason; one that runs anyway is released")
    func failure() async throws {
        let world = try await World.fresh().agreed()
        let parent = try await add(world)
        let step = try await add(world, after: [parent])
        let grandchild = try await add(world, after: [step])
        let anyway = try await add(world, after: [parent], evenIfFailed: true)
        try await end(world, parent, .dead(.refused, error: "no"))
        #expect(try await state(world, step) == "cancelled 0")
        #expect(try await Inspector(world.queue).job(step)?.error == "job \(parent), which it waits for, is dead")
        #expect(
            try await Inspector(world.queue).job(grandchild)?.error == "job \(step), which it waits for, is cancelled"
        )
        #expect(try await state(world, anyway) == "queued 0")
        let late = NewJob(kind: "k", queue: "alpha", after: [parent])
        let id = try await world.queue.add(late).id
        #expect(try await Inspector(world.queue).job(id)?.state == "cancelled")
        await world.close()
    }

    @Test("To wait for a job that does not exist is refused, and to wait for one that is done is no wait")
    func unknown() async throws {
        let world = try await World.fresh().agreed()
        let done = try await add(world)
        try await end(world, done)
        #expect(try await state(world, try await add(world, after: [done])) == "queued 0")
        let error = await #expect(throws: PostgresError.self) { try await add(world, after: [999_999]) }
        #expect(error?.message.contains("999999") == true)
        await world.close()
    }
}
