import Embedded
import Foundation
import Logging
import PostgresClient
import TestSupport
import Testing

@Suite("A Postgres that holds its connections and says nothing")
struct PostgresPulseTests {
    private func pool(_ url: String, patience: Duration?, size: Int = 2) throws -> Postgres {
        Postgres(
            try PostgresConfiguration(url: url, size: size, wait: .seconds(20), patience: patience),
            logger: Logger(label: "test")
        )
    }

    /// How long it takes to be told that there is no answer.
    private func refusal(_ postgres: Postgres) async -> Duration? {
        let began = ContinuousClock.now
        do {
            _ = try await postgres.query("SELECT 1")
            return nil
        } catch {
            return error.isUnavailable ? began.duration(to: .now) : nil
        }
    }

    @Test(
        "What is under way and whoever waits is given up in time, the next are turned away at once, and it heals by itself"
    )
    func hangs() async throws {
        let server = try await TestStack.shared().dedicatedPostgres()
        let postgres = try pool(server.url, patience: .milliseconds(500))
        _ = try await postgres.query("SELECT 1")
        let stopped = await StoppedServer(server.processID)
        // Two connections: one is open, one hangs while it is opened, and the others wait for either.
        let waits = await withTaskGroup(of: Duration?.self) { group in
            for _ in 0..<6 { group.addTask { await refusal(postgres) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for wait in waits {
            let wait = try #require(wait)
            #expect(wait < .seconds(5))
        }
        let wait = try #require(await refusal(postgres))
        #expect(wait < .seconds(2))
        stopped.go()
        try await eventually(within: .seconds(15), "an answer") { await refusal(postgres) == nil }
        postgres.close()
        await server.stop()
    }

    @Test("Slow statements on a server that lives are left alone, with every connection busy")
    func slow() async throws {
        let postgres = try pool(await TestStack.shared().freshDatabase(), patience: .milliseconds(700))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 { group.addTask { _ = try await postgres.query("SELECT pg_sleep(3)") } }
            try await group.waitForAll()
        }
        #expect(await refusal(postgres) == nil)
        postgres.close()
    }

    @Test("A server that was killed while it was silent is away, and is found again when it is back")
    func killed() async throws {
        let server = try await TestStack.shared().dedicatedPostgres()
        let postgres = try pool(server.url, patience: .milliseconds(300))
        _ = try await postgres.query("SELECT 1")
        let stopped = await StoppedServer(server.processID)
        _ = try #require(await refusal(postgres))
        stopped.go()
        await server.kill()
        let wait = try #require(await refusal(postgres))
        #expect(wait < .seconds(3))
        try await server.restart()
        try await eventually(within: .seconds(15), "an answer") { await refusal(postgres) == nil }
        postgres.close()
        await server.stop()
    }
}
