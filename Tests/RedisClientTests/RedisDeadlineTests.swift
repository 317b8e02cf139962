import Foundation
import Testing

@testable import RedisClient

@Suite(.serialized)
struct RedisDeadlineTests {
    @Test("A command without a reply ends at its deadline, and its late reply is nobody else's")
    func timeout() async throws {
        let server = try RedisServer()
        let redis = try await server.client { $0.silenceLimit = .seconds(30) }
        _ = try await redis.send(["CLIENT", "PAUSE", "2500", "ALL"])
        let start = ContinuousClock.now
        let error = try await failure {
            try await redis.send(["ECHO", "late"], timeout: .milliseconds(150))
        }
        let waited = ContinuousClock.now - start
        #expect(error.code == .timeout && error.mayHaveRun)
        #expect(error.message.contains("150 ms"))
        #expect(waited >= .milliseconds(150) && waited < .milliseconds(1500))
        #expect(try await redis.send(["ECHO", "own"]).string == "own")
        #expect(redis.connectionEpoch == 1)
    }

    @Test("A cancelled caller returns at once, and its reply is nobody else's")
    func cancellation() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        _ = try await redis.send(["CLIENT", "PAUSE", "2500", "ALL"])
        let asking = Task { try await redis.send(["INCR", "n"]) }
        try await eventually("the command is under way") { redis.link.current?.isBusy == true }
        let start = ContinuousClock.now
        asking.cancel()
        let error = try await failure { try await asking.value }
        #expect(ContinuousClock.now - start < .milliseconds(1500))
        #expect(error.code == .cancelled && error.mayHaveRun)
        #expect(try await redis.send(["GET", "n"]).string == "1")
        #expect(redis.connectionEpoch == 1)
    }

    @Test("A task that is cancelled already sends nothing")
    func cancelledBefore() async throws {
        let redis = try await RedisServer.shared().client()
        let key = UUID().uuidString
        let asking = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await redis.send(["INCR", key])
        }
        let error = try await failure { try await asking.value }
        #expect(error.code == .cancelled && !error.mayHaveRun)
        #expect(try await redis.send(["EXISTS", key]) == .integer(0))
    }

    @Test("A slow command that is given its time neither fails nor costs the connection")
    func slow() async throws {
        let server = try RedisServer()
        let redis = try await server.client { $0.silenceLimit = .milliseconds(100) }
        async let slow = redis.send(["DEBUG", "SLEEP", "0.8"], timeout: .seconds(20))
        try await eventually("the command is under way") { redis.link.current?.isBusy == true }
        let error = try await failure {
            try await redis.send(["PING"], timeout: .milliseconds(50))
        }
        #expect(error.code == .timeout)
        #expect(try await slow.string == "OK")
        #expect(redis.connectionEpoch == 1)
    }

    @Test("A server that hangs costs no more than the deadline; the connection is rebuilt when it comes back")
    func frozen() async throws {
        let server = try RedisServer()
        let redis = try await server.client {
            $0.silenceLimit = .milliseconds(300)
            $0.connectTimeout = .milliseconds(500)
        }
        server.freeze()
        let start = ContinuousClock.now
        let error = try await failure {
            try await redis.send(["ECHO", "a"], timeout: .milliseconds(200))
        }
        #expect(error.code == .timeout)
        #expect(ContinuousClock.now - start < .milliseconds(700))
        try await eventually("the silent connection is given up") { !redis.isConnected }
        let next = try await failure { try await redis.send(["ECHO", "b"]) }
        #expect(next.code == .disconnected(sent: false))
        server.thaw()
        try await eventually("the client is back") { redis.isConnected }
        #expect(try await redis.send(["ECHO", "c"]).string == "c")
        #expect(redis.connectionEpoch == 2)
    }
}
