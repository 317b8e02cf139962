import Embedded
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

@Suite("A Redis that is nearly full")
struct FullRedisTests {
    private func limit(_ world: World, to bytes: Int) async throws {
        _ = try await world.redis.send(["CONFIG", "SET", "maxmemory", String(bytes)])
    }

    private func known(_ world: World) async throws -> Int {
        try await world.redis.send(["HLEN", "{\(world.namespace):alpha}:b"]).integer ?? -1
    }

    @Test("It is told of no more jobs, which are accepted all the same; with room again it is told what it missed")
    func heldBack() async throws {
        let server = try await TestStack.shared().dedicatedRedis()
        let world = try await World.fresh(redisURL: server.url).agreed()
        let used = try #require(
            try await world.redis.send(["INFO", "memory"]).string?
                .split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }
                .flatMap { Int($0.dropFirst(12)) }
        )
        try await limit(world, to: used + used / 50)
        try await eventually(within: .seconds(5), "the process to notice") {
            await world.dispatch.watchMemory()
            return world.dispatch.isFull
        }
        let jobs = (0..<3000).map { _ in NewJob(kind: "k", queue: "alpha", tenant: "t") }
        #expect(try await world.queue.enqueue(jobs).count == 3000)
        #expect(try await known(world) == 0)
        let gate = Backpressure(world.ledger, world.dispatch, caps: WaitingCaps(tenant: 3000, queue: 0))
        #expect(try await gate.verdict(on: "alpha", tenant: "t")?.waiting == 3000, "the ledger is counted instead")
        let findings = try await Doctor(world.queue, migrations: [], patience: .milliseconds(10)).examine()
        #expect(findings.contains { $0.check == "redis.memory" && $0.level == .bad })
        let sweeper = Sweeper(world.ledger, world.dispatch, logger: world.logger)
        #expect(try await sweeper.run() == 0)
        try await limit(world, to: 0)
        try await eventually(within: .seconds(10), "Redis to know all jobs again") {
            try await sweeper.run()
            return try await known(world) == 3000
        }
        #expect(!world.dispatch.isFull)
        await world.close()
        await server.stop()
    }
}
