import Foundation
import Testing

@testable import RedisClient

struct RedisOutageTests {
    @Test("A killed server: commands fail at once, the client comes back by itself and the epoch has risen")
    func killed() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        #expect(redis.connectionEpoch == 1)
        server.kill()
        try await eventually("the loss is noticed") { !redis.isConnected }
        let start = ContinuousClock.now
        for _ in 0..<100 {
            let error = try await failure { try await redis.send(["PING"]) }
            #expect(error.code == .disconnected(sent: false))
            #expect(error.isUnavailable && !error.mayHaveRun)
            #expect(error.message.contains(redis.address))
        }
        #expect(ContinuousClock.now - start < .seconds(2))
        try server.restart()
        try await eventually("the client is back") { redis.isConnected }
        #expect(redis.connectionEpoch == 2)
        #expect(try await redis.send(["PING"]).string == "PONG")
    }

    @Test("A command whose reply was under way when the server died may have run, and says so")
    func lostReply() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        _ = try await redis.send(["CLIENT", "PAUSE", "20000", "ALL"])
        let asking = Task { try await redis.send(["INCR", "n"], timeout: .seconds(20)) }
        try await eventually("the command is under way") { redis.link.current?.isBusy == true }
        server.kill()
        let error = try await failure { try await asking.value }
        // A kill before the event loop's next turn finds the command unsent; either way the answer is consistent.
        if case .disconnected(let sent) = error.code { #expect(sent == error.mayHaveRun) } else { Issue.record(error) }
    }

    @Test("Without a server the first command fails as soon as the attempt has failed")
    func nobodyHome() async throws {
        let start = ContinuousClock.now
        let redis = Redis(
            try RedisConfiguration(url: "redis+unix:///tmp/no-such-\(UUID().uuidString).sock"),
            logger: quiet
        )
        let error = try await failure { try await redis.send(["PING"]) }
        #expect(error.isFailedConnect && !error.mayHaveRun)
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(redis.connectionEpoch == 0)
        let port = Redis(try RedisConfiguration(url: "redis://127.0.0.1:1"), logger: quiet)
        let refused = try await failure { try await port.send(["PING"]) }
        #expect(refused.isFailedConnect && refused.message.contains("127.0.0.1:1"))
        let name = Redis(try RedisConfiguration(url: "redis://no-such-host.invalid"), logger: quiet)
        let unknown = try await failure { try await name.send(["PING"]) }
        #expect(unknown.isFailedConnect)
    }

    @Test("Commands before the first connect wait for it, no longer than their deadline or their task")
    func firstConnect() async throws {
        let server = try RedisServer()
        await (try server.client()).close()
        server.freeze()
        let redis = Redis(try server.configuration(), logger: quiet)
        let late = try await failure {
            try await redis.send(["PING"], timeout: .milliseconds(100))
        }
        #expect(late.code == .connectFailed && !late.mayHaveRun)
        let leaving = Task { try await redis.send(["PING"]) }
        leaving.cancel()
        let left = try await failure { try await leaving.value }
        #expect(left.code == .cancelled && !left.mayHaveRun)
        async let answer = redis.send(["ECHO", "x"], timeout: .seconds(20))
        server.thaw()
        #expect(try await answer.string == "x")
        #expect(redis.connectionEpoch == 1)
    }

    @Test("A client that nobody holds any more lets go of its connection")
    func letGo() async throws {
        let server = try RedisServer()
        let observer = try await server.client()
        var redis: Redis? = try await server.client { $0.clientName = "brief" }
        _ = try await redis?.send(["PING"])
        let listed = { try await observer.send(["CLIENT", "LIST"]).string?.contains("name=brief") == true }
        #expect(try await listed())
        redis = nil
        try await eventually("the server knows") { try await !listed() }
    }

    @Test("A connection that something else than Redis answers is not used")
    func notRedis() async throws {
        let redis = try await RedisServer.shared().client()
        let connection = try #require(redis.link.current)
        connection.deliver([.integer(1)])
        try await eventually("the connection is replaced") { redis.isConnected && redis.connectionEpoch == 2 }
        #expect(connection.ended == "the server sent a reply that nothing asked for")
    }
}
