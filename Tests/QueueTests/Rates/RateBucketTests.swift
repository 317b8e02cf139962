import PostgresClient
import Queue
import RedisClient
import Synchronization
import TestSupport
import Testing

/// Requests and tokens a minute that the whole fleet keeps to, on a real Redis and by a clock of the test's own.
@Suite("Rate buckets, on a real Redis")
struct RateBucketTests {
    /// Milliseconds that only the test moves.
    private final class Clock: Sendable {
        private let time = Mutex(1_800_000_000_000)
        var now: Int { time.withLock { $0 } }
        func pass(_ milliseconds: Int) { time.withLock { $0 += milliseconds } }
    }

    private struct Bench {
        let world: World
        let rates: RateBuckets
        let clock: Clock

        static func fresh() async throws -> Bench {
            let (world, clock) = (try await World.fresh(), Clock())
            return Bench(
                world: world,
                rates: RateBuckets(world.ledger, world.dispatch) { clock.now },
                clock: clock
            )
        }

        func left(_ bucket: RateBucket) async throws -> [Int?] {
            let view = try #require(try await rates.list().first { $0.bucket == bucket })
            return [view.requestsLeft, view.tokensLeft]
        }

        /// Giving back is not waited for.
        func expect(_ bucket: RateBucket, _ left: [Int?]) async throws {
            try await eventually(within: .seconds(10), "\(left) to be left") { try await self.left(bucket) == left }
        }

        func toll(_ bucket: RateBucket, tokens: Int = 0) async throws -> RateToll {
            guard case .taken(let toll) = await rates.take(bucket, tokens: tokens) else {
                throw NeverHappened(description: "\(bucket.name) was refused")
            }
            return toll
        }

        func wait(_ bucket: RateBucket, tokens: Int = 0) async throws -> Duration {
            guard case .refused(let wait) = await rates.take(bucket, tokens: tokens) else {
                throw NeverHappened(description: "\(bucket.name) had room")
            }
            return wait
        }
    }

    private let both = RateBucket(name: "openai:12345678:all", requests: 60, tokens: 1_000)

    @Test("A call takes from both buckets or from none, and a refusal says when there is room")
    func bothOrNone() async throws {
        let bench = try await Bench.fresh()
        _ = try await bench.toll(both, tokens: 900)
        #expect(try await bench.left(both) == [3, 100])
        #expect(try await bench.wait(both, tokens: 200) == .seconds(6))
        #expect(try await bench.left(both) == [3, 100], "a request was taken without its tokens")
        for _ in 0..<3 { _ = try await bench.toll(both, tokens: 1) }
        #expect(try await bench.wait(both, tokens: 1) > .seconds(1))
        #expect(try await bench.left(both) == [0, 97], "tokens were taken without a request")
        bench.clock.pass(6_000)
        #expect(try await bench.left(both) == [4, 197])
        bench.clock.pass(60_000)
        #expect(try await bench.left(both) == [4, 1_000])
        await bench.world.close()
    }

    @Test("16 callers at once never have more than the limit in any minute, and nearly all of it in the long run")
    func crowd() async throws {
        let bench = try await Bench.fresh()
        let bucket = RateBucket(name: "openai:12345678:all", requests: 60, tokens: nil)
        var times: [Int] = []
        for _ in 0..<300 {
            let taken = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        guard case .taken = await bench.rates.take(bucket, tokens: 7) else { return false }
                        return true
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            times += [Int](repeating: bench.clock.now, count: taken)
            bench.clock.pass(500)
        }
        for (index, start) in times.enumerated() {
            let minute = times[index...].prefix { $0 < start + 60_000 }
            #expect(minute.count <= 60)
        }
        #expect(times.count >= 57 * 5 / 2, "150 seconds")
        await bench.world.close()
    }

    @Test("What a call did not need comes back, never beyond a full bucket; what it needed on top is owed")
    func givingBack() async throws {
        let bench = try await Bench.fresh()
        let toll = try await bench.toll(both, tokens: 900)
        bench.rates.giveBack(toll, tokens: 700)
        try await bench.expect(both, [3, 800])
        bench.rates.giveBack(toll, requests: 1, tokens: 200)
        try await bench.expect(both, [4, 1_000])
        bench.rates.giveBack(toll, requests: 1, tokens: 200)
        bench.rates.giveBack(toll, tokens: -1_500)
        try await bench.expect(both, [4, -500])
        #expect(try await bench.wait(both, tokens: 10) == .milliseconds(30_600))
        await bench.world.close()
    }

    @Test("What the provider says is left lowers the buckets, and never raises them")
    func headers() async throws {
        let bench = try await Bench.fresh()
        let toll = try await bench.toll(both, tokens: 100)
        bench.rates.giveBack(toll, tokens: 0, requestsLeft: 2, tokensLeft: 300)
        try await bench.expect(both, [2, 300])
        bench.rates.giveBack(toll, tokens: 50, requestsLeft: 900, tokensLeft: 900)
        try await bench.expect(both, [2, 350])
        bench.rates.giveBack(toll, tokens: 0, requestsLeft: 0)
        try await bench.expect(both, [0, 350])
        bench.rates.giveBack(toll, tokens: 0, tokensLeft: 200, saidBefore: .seconds(6))
        try await bench.expect(both, [0, 300])
        await bench.world.close()
    }

    @Test("A large call goes out when a quarter of the bucket is there, which then owes the rest")
    func large() async throws {
        let bench = try await Bench.fresh()
        _ = try await bench.toll(both, tokens: 1_800)
        #expect(try await bench.left(both) == [3, -800])
        #expect(try await bench.wait(both, tokens: 1_500) == .seconds(60), "nobody waits for more than a minute")
        bench.clock.pass(60_000)
        _ = try await bench.wait(both, tokens: 1_500)
        bench.clock.pass(3_000)
        _ = try await bench.toll(both, tokens: 1_500)
        await bench.world.close()
    }

    @Test("Those who wait are sent for one after the other, at the pace at which there is room")
    func line() async throws {
        let bench = try await Bench.fresh()
        let bucket = RateBucket(name: "openai:12345678:small", requests: 60, tokens: nil)
        for _ in 0..<4 { _ = try await bench.toll(bucket) }
        var waits: [Duration] = []
        for _ in 0..<80 { waits.append(try await bench.wait(bucket)) }
        #expect(waits[0] > .seconds(1) && waits[0] < .seconds(1.1))
        #expect(
            zip(waits, waits.dropFirst()).prefix(50).allSatisfy { $1 - $0 > .seconds(1) && $1 - $0 < .seconds(1.1) }
        )
        #expect(waits.last == .seconds(60))
        await bench.world.close()
    }

    @Test("Losing everything in Redis means full buckets, and what nobody uses leaves by itself")
    func forgotten() async throws {
        let bench = try await Bench.fresh()
        let toll = try await bench.toll(both, tokens: 1_000)
        let key = "\(bench.world.namespace):{rate}:\(both.name)"
        let life = try await bench.world.redis.send(["PTTL", key]).integer ?? 0
        #expect((60_000...62_000).contains(life))
        _ = try await bench.world.redis.send(["DEL", key, "\(bench.world.namespace):{rate}"])
        bench.rates.giveBack(toll, tokens: 400)
        try await eventually(within: .seconds(10), "what came back") {
            try await bench.world.redis.send(["EXISTS", key]).integer == 1
        }
        _ = try await bench.toll(both, tokens: 1_000)
        #expect(try await bench.left(both) == [3, 0])
        await bench.world.close()
    }

    @Test("With Redis away each process keeps its share of the rate, by the workers that are alive")
    func alone() async throws {
        let bench = try await Bench.fresh()
        let world = bench.world
        for _ in 0..<2 {
            let card = WorkerCard(host: "h", processID: 1, version: "v", queues: ["crew"], kinds: [], slots: 1)
            _ = try await world.ledger.openSession(card, lease: .seconds(600))
        }
        await world.redis.close()
        _ = try await bench.toll(both, tokens: 450)
        #expect(try await bench.wait(both, tokens: 300) == .seconds(9), "half of 1,000 a minute is left to each")
        let toll = try await bench.toll(both, tokens: 50)
        #expect(try await bench.wait(both) == .milliseconds(2_069), "29 a minute after two at once")
        bench.rates.giveBack(toll, requests: 1, tokens: 200)
        _ = try await bench.toll(both, tokens: 200)
        world.postgres.close()
    }

    @Test("A process by itself follows the same rules as Redis")
    func sameRules() async throws {
        let (bench, other) = (try await Bench.fresh(), try await World.fresh())
        await other.redis.close()
        let clock = bench.clock
        let local = RateBuckets(other.ledger, other.dispatch) { clock.now }
        var random = SplitMix(seed: 7)
        var refused = 0
        for _ in 0..<300 {
            let tokens = Int.random(in: 1...400, using: &random)
            let (shared, alone) = (
                await bench.rates.take(both, tokens: tokens), await local.take(both, tokens: tokens)
            )
            switch (shared, alone) {
            case (.taken, .taken): break
            case (.refused(let wait), .refused(let least)):
                refused += 1
                #expect(least <= wait, "the line of those who wait is longer in Redis")
            default: Issue.record("\(shared) is not \(alone)")
            }
            bench.clock.pass(Int.random(in: 0...9_000, using: &random))
        }
        #expect((50...250).contains(refused))
        other.postgres.close()
        await bench.world.close()
    }
}
