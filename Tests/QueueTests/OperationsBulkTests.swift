import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Operations: retry, drop and cancel, on real servers")
struct OperationsBulkTests {
    private func add(_ world: World, _ count: Int, kind: String = "k", key: String? = nil) async throws -> [Int] {
        try await world.queue.enqueue(
            (0..<count).map { _ in NewJob(kind: kind, queue: "alpha", tenant: "t", uniqueKey: key) }
        )
    }

    private func kill(_ world: World, _ ids: [Int], error: String = "boom") async throws {
        _ = try await world.postgres.query(
            """
            UPDATE jobs SET state = 'dead', dead_reason = 'failed', error = \(error), failures = 3, losses = 1, attempt = 4,
              finished_at = now() WHERE id = ANY (\(ids)::bigint[])
            """
        )
        await world.dispatch.forget(ids, queue: "alpha")
    }

    private func claim(_ world: World, _ session: Int, _ want: Int = 100) async throws -> [ClaimedJob] {
        let request = CycleRequest(queue: "alpha", acknowledgements: [], want: want)
        let reply = try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
        guard !reply.claims.isEmpty else { return [] }
        return try Ledger.claimed(await world.postgres.query(Ledger.claim(reply.claims.map(\.id), session: session)))
    }

    @Test("The dry run counts by queue, kind and state, and changes nothing")
    func dryRun() async throws {
        let world = try await World.fresh().agreed()
        try await kill(world, try await add(world, 3))
        try await kill(world, try await add(world, 2, kind: "other"))
        _ = try await add(world, 4)
        let groups = try await Operations(world.queue).count(JobFilter(), for: .drop)
        #expect(
            groups == [
                BulkGroup(queue: "alpha", kind: "k", state: .dead, count: 3),
                BulkGroup(queue: "alpha", kind: "k", state: .queued, count: 4),
                BulkGroup(queue: "alpha", kind: "other", state: .dead, count: 2),
            ]
        )
        #expect(try await world.count("state = 'dead'") == 5)
        await world.close()
    }

    @Test("Retried jobs wait again over many pages: attempt and error stay, failures and losses begin at 0")
    func retry() async throws {
        let world = try await World.fresh().agreed()
        let ids = try await add(world, 25)
        try await kill(world, ids)
        var seen: [Int] = []
        let outcome = try await Operations(world.queue, pageSize: 10).run(
            .retry(perSecond: nil),
            JobFilter(),
            reason: ""
        ) { seen.append($0) }
        #expect(outcome.changed == 25 && outcome.conflicts.isEmpty)
        #expect(seen == [10, 20, 25])
        let fresh: SQL = """
            state = 'queued' AND attempt = 4 AND failures = 0 AND losses = 0 AND error = 'boom' AND dead_reason IS NULL
              AND finished_at IS NULL
            """
        #expect(try await world.count(fresh) == 25)
        let claimed = try await claim(world, try await world.session())
        #expect(Set(claimed.map(\.id)) == Set(ids))
        #expect(claimed.allSatisfy { $0.attempt == 5 })
        await world.close()
    }

    @Test("A dead job whose unique key is taken meanwhile is left dead and reported; so is the second of two dead ones")
    func conflicts() async throws {
        let world = try await World.fresh().agreed()
        let first = try await add(world, 1, key: "a")
        try await kill(world, first)
        let twin = try await add(world, 1, key: "b")
        try await kill(world, twin)
        let secondTwin = try await add(world, 1, key: "b")
        try await kill(world, secondTwin)
        _ = try await add(world, 1, key: "a")
        let outcome = try await Operations(world.queue).run(.retry(perSecond: nil), JobFilter(), reason: "")
        #expect(outcome.changed == 1)
        #expect(outcome.conflicts == first + secondTwin)
        #expect(try await world.count("state = 'dead'") == 2)
        await world.close()
    }

    @Test("With a rate, retried jobs come due one after the other")
    func rate() async throws {
        let world = try await World.fresh().agreed()
        try await kill(world, try await add(world, 20))
        _ = try await Operations(world.queue, pageSize: 8).run(.retry(perSecond: 2), JobFilter(), reason: "")
        let first: SQL = "(SELECT min(run_at) FROM jobs)"
        #expect(try await world.count("state = 'queued' AND run_at >= \(clause: first) + interval '9 seconds'") >= 1)
        #expect(try await world.count("run_at <= \(clause: first) + interval '2 seconds'") <= 5)
        #expect(try await claim(world, try await world.session()).count < 15)
        await world.close()
    }

    @Test("Dropping cancels what waits, deletes what is dead, and leaves what runs")
    func drop() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        let running = try await add(world, 1)
        #expect(try await claim(world, session).map(\.id) == running)
        try await kill(world, try await add(world, 3))
        let waiting = try await add(world, 5)
        let outcome = try await Operations(world.queue, pageSize: 3).run(.drop, JobFilter(), reason: "dropped")
        #expect(outcome.changed == 8)
        #expect(try await world.count("state = 'cancelled' AND error = 'dropped' AND finished_at IS NOT NULL") == 5)
        #expect(try await world.count("true") == 1 + waiting.count)
        #expect(try await world.count("state = 'running'") == 1)
        #expect(try await claim(world, session).isEmpty)
        await world.close()
    }

    @Test("Cancelling marks running jobs in the ledger, and the next cycle of their worker names them")
    func cancel() async throws {
        let world = try await World.fresh().agreed()
        let session = try await world.session()
        let running = try await add(world, 3)
        #expect(try await claim(world, session).count == 3)
        _ = try await add(world, 2)
        let outcome = try await Operations(world.queue).run(.cancel, JobFilter(), reason: "cancelled")
        #expect(outcome.changed == 5 && outcome.requested == 3)
        #expect(try await world.count("state = 'cancelled'") == 2)
        #expect(try await world.count("state = 'running' AND cancel_requested") == 3)
        let request = CycleRequest(queue: "alpha", acknowledgements: [], want: 10)
        let reply = try await world.dispatch.cycle([request], session: session, classOrder: "0123")[0].get()
        #expect(Set(reply.cancellations) == Set(running))
        #expect(reply.claims.isEmpty)
        await world.close()
    }

    @Test("Every field of a filter narrows it down, and the limit takes the lowest ids")
    func filters() async throws {
        let world = try await World.fresh().agreed()
        let ids = try await add(world, 4)
        try await kill(world, [ids[0], ids[1]], error: "HTTP 503 from UPSTREAM")
        try await kill(world, [ids[2]], error: "100% _odd_")
        _ = try await world.postgres.query(
            "UPDATE jobs SET finished_at = now() - interval '3 hours', dead_reason = 'poison' WHERE id = \(ids[0])"
        )
        func matched(_ change: (inout JobFilter) -> Void) async throws -> Int {
            var filter = JobFilter()
            change(&filter)
            return try await Operations(world.queue).count(filter, for: .drop).reduce(0) { $0 + $1.count }
        }
        #expect(try await matched { _ in } == 4)
        #expect(try await matched { $0.ids = [ids[1], ids[3], 999_999] } == 2)
        #expect(try await matched { $0.queue = "beta" } == 0)
        #expect(try await matched { $0.kind = "k" } == 4)
        #expect(try await matched { $0.tenant = "nobody" } == 0)
        #expect(try await matched { $0.state = .dead } == 3)
        #expect(try await matched { $0.errorContains = "upstream" } == 2)
        #expect(try await matched { $0.errorContains = "% _" } == 1)
        #expect(try await matched { $0.deadReason = .poison } == 1)
        #expect(try await matched { $0.olderThan = .seconds(3600) } == 1)
        #expect(try await matched { $0.since = .seconds(3600) } == 3)
        #expect(try await matched { $0.limit = 3 } == 3)
        var first = JobFilter()
        first.state = .dead
        first.limit = 1
        let outcome = try await Operations(world.queue).run(.drop, first, reason: "")
        #expect(outcome.changed == 1)
        #expect(try await world.count("id = \(ids[0])") == 0)
        await world.close()
    }

    @Test("Two operators who retry the same jobs retry each once")
    func race() async throws {
        let world = try await World.fresh().agreed()
        try await kill(world, try await add(world, 300))
        let changed = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await Operations(world.queue, pageSize: 20)
                        .run(.retry(perSecond: nil), JobFilter(), reason: "").changed
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(changed == 300)
        #expect(try await world.count("state = 'queued'") == 300)
        await world.close()
    }
}
