import Embedded
import Foundation
import TestSupport
import Testing

@Suite("The private stack") struct PrivateStackTests {
    @Test("Both servers start together, stop together and start again with their data")
    func both() async throws {
        try await Workbench.with { bench in
            let folder = bench.folder + "/dev"
            let first = try await PrivateStack.start(directory: folder, durability: .durable, logger: bench.logger)
            _ = try await Workbench.psql(first.databaseURL, "CREATE TABLE kept (answer int)")
            _ = try await Workbench.redisCLI(first.redis, "SET", "kept", "42")
            await first.stop()
            await first.stop()
            #expect(await first.postgres.processID == 0)
            #expect(await first.redis.processID == 0)

            let second = try await PrivateStack.start(directory: folder, durability: .durable, logger: bench.logger)
            try await second.postgres.expect("SELECT count(*) FROM kept", gives: "0")
            try await second.redis.expect("GET", "kept", gives: "42")
            await second.stop()

            try PrivateStack.erase(directory: folder)
            let third = try await PrivateStack.start(directory: folder, durability: .throwaway, logger: bench.logger)
            try await third.postgres.expect("SELECT to_regclass('kept') IS NULL", gives: "t")
            try await third.redis.expect("DBSIZE", gives: "0")
            await third.stop()
        }
    }

    @Test("When one cannot start, the other does not stay behind")
    func oneFails() async throws {
        try await Workbench.with { bench in
            try await bench.redis(in: "dev/redis") { _ in
                await #expect(throws: EmbeddedError.self) {
                    _ = try await PrivateStack.start(
                        directory: bench.folder + "/dev",
                        durability: .throwaway,
                        logger: bench.logger
                    )
                }
            }
            try await bench.postgres(in: "dev/postgres") { server in
                try await server.expect("SELECT 1", gives: "1")
            }
        }
    }

    @Test("Tests share one stack, and get databases and a Redis of their own")
    func testStack() async throws {
        async let one = TestStack.shared()
        async let two = TestStack.shared()
        let stack = try await one
        #expect(try await two.redisURL == stack.redisURL)

        let first = try await stack.freshDatabase()
        let second = try await stack.freshDatabase()
        #expect(first != second)
        _ = try await Workbench.psql(first, "CREATE TABLE mine AS SELECT 7 AS number")
        #expect(try await Workbench.psql(second, "SELECT to_regclass('mine') IS NULL") == "t")

        let name = try await Workbench.psql(first, "SELECT current_database()")
        let copy = try await stack.freshDatabase(template: name)
        #expect(try await Workbench.psql(copy, "SELECT number FROM mine") == "7")

        let redis = try await stack.dedicatedRedis()
        #expect(redis.url != stack.redisURL)
        try await redis.expect("FLUSHALL", gives: "OK")
        await redis.stop()
    }

    @Test("Waiting for what never comes fails with a sentence")
    func eventuallyFails() async throws {
        let error = await #expect(throws: NeverHappened.self) {
            try await eventually(within: .milliseconds(30), "Godot") { false }
        }
        #expect(try #require(error).description.contains("in vain for Godot"))
    }
}
