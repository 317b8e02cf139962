import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Uniqueness: who counts as the same, and what becomes of the second", .serialized)
struct UniquenessTests {
    private func job(
        _ scope: Uniqueness.Scope,
        _ conflict: Uniqueness.Conflict = .reject,
        payload: String = "{}",
        delay: Duration = .zero
    ) -> NewJob {
        NewJob(
            kind: "k",
            queue: "alpha",
            payload: payload,
            delay: delay,
            uniqueness: Uniqueness("key", scope: scope, onConflict: conflict)
        )
    }

    private func claim(_ world: World, _ id: Int) async throws -> ClaimedJob {
        let session = try await world.session()
        let claimed = try Ledger.claimed(await world.postgres.query(Ledger.claim([id], session: session)))
        return try #require(claimed.first)
    }

    private func settle(_ world: World, _ job: ClaimedJob, _ settlement: Settlement = .done) async throws {
        let jobs = [SettledJob(id: job.id, attempt: job.attempt, settlement: settlement)]
        let sql = settlement == .done ? Ledger.finish(jobs) : Ledger.settle(jobs)
        #expect(try await world.postgres.query(sql).count == 1)
    }

    @Test(
        "Of fifty that come at once with one key, one is added, and all others learn its id",
        arguments: [
            Uniqueness.Scope.whileWaiting, .untilDone, .window(.seconds(60)),
        ],
        [Uniqueness.Conflict.reject, .coalesce, .replace]
    )
    func race(scope: Uniqueness.Scope, conflict: Uniqueness.Conflict) async throws {
        let world = try await World.fresh()
        let outcomes = try await withThrowingTaskGroup(of: EnqueueOutcome.self) { group in
            for _ in 0..<50 { group.addTask { try await world.queue.add(job(scope, conflict)) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0.wasAdded } == 1)
        #expect(Set(outcomes.map(\.id)).count == 1)
        #expect(try await world.count("true") == 1)
        await world.close()
    }

    @Test("While waiting: a running job does not count, and its retry collides with nothing")
    func waiting() async throws {
        let world = try await World.fresh().agreed()
        let first = try await world.queue.add(job(.whileWaiting))
        #expect(try await world.queue.add(job(.whileWaiting)) == .existing(first.id))
        let running = try await claim(world, first.id)
        let second = try await world.queue.add(job(.whileWaiting))
        #expect(second.wasAdded)
        try await settle(world, running, .retry(after: .zero, error: "once more"))
        #expect(try await world.count("state = 'queued'") == 2)
        #expect(try await world.queue.add(job(.whileWaiting)) == .existing(second.id))
        await world.close()
    }

    @Test("Until done: waiting and running count; a finished one does not")
    func untilDone() async throws {
        let world = try await World.fresh().agreed()
        let first = try await world.queue.add(job(.untilDone))
        let running = try await claim(world, first.id)
        #expect(try await world.queue.add(job(.untilDone)) == .existing(first.id))
        #expect(try await world.queue.enqueue([job(.untilDone), job(.untilDone)]).isEmpty)
        try await settle(world, running)
        #expect(try await world.queue.add(job(.untilDone)).wasAdded)
        await world.close()
    }

    @Test("For a window: a finished one counts until the window is over, or its row is gone")
    func window() async throws {
        let world = try await World.fresh().agreed()
        let long = job(.window(.seconds(3600)))
        let first = try await world.queue.add(long)
        try await settle(world, try await claim(world, first.id))
        #expect(try await world.queue.add(long) == .existing(first.id))
        _ = try await world.postgres.query("DELETE FROM jobs WHERE id = \(first.id)")
        let second = try await world.queue.add(long)
        #expect(second.wasAdded)
        _ = try await world.postgres.query("UPDATE unique_windows SET until = clock_timestamp()")
        #expect(try await world.queue.add(long).wasAdded)
        await world.close()
    }

    @Test("Coalesced with a running job: it runs once more with fresh attempts, however often it was asked for")
    func coalesce() async throws {
        let world = try await World.fresh().agreed()
        let first = try await world.queue.add(job(.untilDone, .coalesce, payload: #"{"n":1}"#))
        let again = job(.untilDone, .coalesce, payload: #"{"n":2}"#)
        #expect(try await world.queue.add(again) == .coalesced(first.id))
        var running = try await claim(world, first.id)
        for _ in 0..<3 { #expect(try await world.queue.add(again) == .coalesced(first.id)) }
        try await settle(world, running, .dead(.failed, error: "boom"))
        let view = try #require(try await Inspector(world.queue).job(first.id))
        #expect(view.state == "queued" && view.failures == 0 && view.error == nil && view.deadReason == nil)
        #expect(view.payload.contains("1"))
        running = try await claim(world, first.id)
        try await settle(world, running)
        #expect(try await world.count("state = 'done'") == 1)
        await world.close()
    }

    @Test("A cancelled job is not run once more, although it was asked for")
    func cancelled() async throws {
        let world = try await World.fresh().agreed()
        let first = try await world.queue.add(job(.untilDone, .coalesce))
        let running = try await claim(world, first.id)
        _ = try await world.queue.add(job(.untilDone, .coalesce))
        try await settle(world, running, .cancelled("stop"))
        #expect(try await world.count("state = 'cancelled'") == 1)
        await world.close()
    }

    @Test("Replaced: the waiting one takes payload, priority and moment, and Redis gives it out at the new one")
    func replace() async throws {
        let world = try await World.fresh().agreed()
        let late = job(.untilDone, .replace, payload: #"{"n":1}"#, delay: .seconds(3600))
        let first = try await world.queue.add(late)
        var soon = job(.untilDone, .replace, payload: #"{"n":2}"#)
        soon.priority = 1
        #expect(try await world.queue.add(soon) == .replaced(first.id))
        let view = try #require(try await Inspector(world.queue).job(first.id))
        #expect(view.payload.contains("2") && view.priority == 1)
        let session = try await world.session()
        try await eventually(within: .seconds(5), "Redis to give it out") {
            let request = CycleRequest(queue: "alpha", acknowledgements: [], want: 5)
            let replies = await world.dispatch.cycle([request], session: session, classOrder: "0123")
            return try replies[0].get().claims.map(\.id) == [first.id]
        }
        await world.close()
    }

    @Test("Replaced while it runs: it runs once more with the newest payload")
    func replaceRunning() async throws {
        let world = try await World.fresh().agreed()
        let first = try await world.queue.add(job(.untilDone, .replace, payload: #"{"n":1}"#))
        let running = try await claim(world, first.id)
        for n in 2...4 {
            let next = job(.untilDone, .replace, payload: #"{"n":\#(n)}"#)
            #expect(try await world.queue.add(next) == .coalesced(first.id))
        }
        try await settle(world, running)
        let next = try await claim(world, first.id)
        #expect(next.payload.contains("4") && next.attempt == running.attempt + 1 && next.failures == 0)
        await world.close()
    }

    @Test("What contradicts itself is refused before anything is written")
    func contradictions() async throws {
        let world = try await World.fresh()
        let wrong = [
            NewJob(kind: "k", queue: "alpha", uniqueness: Uniqueness("")),
            NewJob(kind: "k", queue: "alpha", uniqueness: Uniqueness("k", scope: .window(.zero))),
            NewJob(kind: "k", queue: "alpha", delay: .seconds(1), after: [1]),
            NewJob(kind: "k", queue: "alpha", uniqueness: Uniqueness("k"), after: [1]),
        ]
        for job in wrong {
            await #expect(throws: EnqueueError.self) { try await world.queue.enqueue([job]) }
        }
        #expect(try await world.count("true") == 0)
        await world.close()
    }
}
