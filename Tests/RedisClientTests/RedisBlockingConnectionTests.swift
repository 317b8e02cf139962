import Foundation
import Testing

@testable import RedisClient

struct RedisBlockingConnectionTests {
    @Test("A waiting read wakes when an element comes, and takes the lowest")
    func wakes() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let blocking = redis.blocking()
        async let waiting = blocking.bzpopmin(keys: ["a", "b"], timeout: .seconds(20))
        try await eventually("the read blocks") { try await redis.blockedClients() == 1 }
        _ = try await redis.send(["ZADD", "b", "2.5", "late", "1.5", "early"])
        let element = try #require(try await waiting)
        #expect(element.key == "b" && element.member == "early" && element.score == 1.5)
        #expect(try await blocking.send(["ZCARD", "b"]) == .integer(1))
        await blocking.close()
        let error = try await failure { try await blocking.send(["PING"]) }
        #expect(error.code == .closed)
    }

    @Test("A read that nothing wakes ends with nil after its time")
    func ends() async throws {
        let redis = try await RedisServer.shared().client()
        let start = ContinuousClock.now
        #expect(try await redis.blocking().bzpopmin(keys: [UUID().uuidString], timeout: .milliseconds(120)) == nil)
        #expect(ContinuousClock.now - start >= .milliseconds(100))
    }

    @Test("A cancelled read returns promptly, and what comes later stays where it is")
    func cancelled() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let blocking = redis.blocking()
        let waiting = Task {
            try await blocking.bzpopmin(keys: ["z"], timeout: .seconds(20)).map { $0.member }
        }
        try await eventually("the read blocks") { try await redis.blockedClients() == 1 }
        let start = ContinuousClock.now
        waiting.cancel()
        let error = try await failure { try await waiting.value }
        #expect(ContinuousClock.now - start < .seconds(1))
        #expect(error.code == .cancelled && !error.mayHaveRun)
        _ = try await redis.send(["ZADD", "z", "1", "x"])
        #expect(try await redis.send(["ZCARD", "z"]) == .integer(1))
        #expect(try await blocking.bzpopmin(keys: ["z"], timeout: .seconds(5))?.member == "x")
    }

    @Test("An element that comes together with the cancellation is either returned or still there")
    func race() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let blocking = redis.blocking()
        var returned = 0
        for round in 0..<100 {
            let key = "race:\(round)"
            let waiting = Task {
                try await blocking.bzpopmin(keys: [key], timeout: .seconds(20)).map { $0.member }
            }
            try await eventually("the read blocks") { try await redis.blockedClients() == 1 }
            async let added = redis.send(["ZADD", key, "1", "x"])
            waiting.cancel()
            let member = try? await waiting.value
            _ = try await added
            let left = try await redis.send(["ZCARD", key]).integer
            #expect(
                (member == nil) == (left == 1),
                "round \(round): returned \(member ?? "nothing"), left \(left ?? -1)"
            )
            if member != nil { returned += 1 }
        }
        #expect(returned < 100)
    }

    @Test("Without the main connection a cancelled read is ended by force and says that it may have taken something")
    func force() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let observer = try await server.client()
        let blocking = redis.blocking()
        let waiting = Task {
            try await blocking.bzpopmin(keys: ["z"], timeout: .seconds(20)).map { $0.member }
        }
        try await eventually("the read blocks") { try await observer.blockedClients() == 1 }
        await redis.close()
        waiting.cancel()
        let error = try await failure { try await waiting.value }
        #expect(error.code == .cancelled && error.mayHaveRun)
        try await eventually("the server knows") { try await observer.blockedClients() == 0 }
    }

    @Test("A server that hangs is given up after the wait and its grace")
    func frozen() async throws {
        let server = try RedisServer()
        let redis = try await server.client { $0.connectTimeout = .milliseconds(500) }
        let blocking = redis.blocking()
        try await eventually("it connects") { blocking.isConnected }
        server.freeze()
        let start = ContinuousClock.now
        let error = try await failure {
            try await blocking.bzpopmin(keys: ["z"], timeout: .milliseconds(100)).map { $0.member }
        }
        #expect(error.code == .timeout && error.mayHaveRun)
        #expect(ContinuousClock.now - start < .seconds(5))
        server.thaw()
        try await eventually("it is back") { blocking.isConnected }
        #expect(try await blocking.send(["PING"]).string == "PONG")
    }

    @Test("During an outage a read waits for the next attempt instead of failing in a hot loop, and works afterwards")
    func outage() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let blocking = redis.blocking()
        try await eventually("it connects") { blocking.isConnected }
        server.kill()
        try await eventually("the loss is noticed") { !blocking.isConnected }
        var failures = 0
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .milliseconds(400) {
            _ = try await failure {
                try await blocking.bzpopmin(keys: ["z"], timeout: .seconds(1)).map { $0.member }
            }
            failures += 1
        }
        #expect(failures < 12)
        try server.restart()
        try await eventually("it is back") { blocking.isConnected }
        #expect(try await blocking.bzpopmin(keys: ["z"], timeout: .milliseconds(20)) == nil)
    }
}
