import Foundation
import Testing

@testable import RedisClient

struct RedisSubscriptionTests {
    @Test("Messages of all channels come in order")
    func messages() async throws {
        let redis = try await RedisServer.shared().client()
        let (one, two) = (UUID().uuidString, UUID().uuidString)
        let subscription = try await redis.subscribe([one, two])
        for number in 0..<100 { _ = try await redis.send(["PUBLISH", number % 2 == 0 ? one : two, "\(number)"]) }
        var expected = 0
        for try await (channel, message) in subscription {
            #expect(message == "\(expected)" && channel == (expected % 2 == 0 ? one : two))
            expected += 1
            if expected == 100 { break }
        }
        await subscription.close()
        try await eventually("the server knows") {
            try await redis.send(["PUBSUB", "NUMSUB", one]).array?.last == .integer(0)
        }
    }

    @Test("A lost connection ends the messages with an error")
    func lost() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        var messages = try await redis.subscribe(["c"]).makeAsyncIterator()
        _ = try await redis.send(["PUBLISH", "c", "1"])
        #expect(try await messages.next()?.message == "1")
        server.kill()
        do {
            _ = try await messages.next()
            Issue.record("the end was not noticed")
        } catch {
            #expect(error.code == .disconnected(sent: true))
        }
    }

    @Test("A server that falls silent ends the messages with an error")
    func frozen() async throws {
        let server = try RedisServer()
        let redis = try await server.client {
            $0.commandTimeout = .milliseconds(200)
            $0.silenceLimit = .milliseconds(200)
        }
        var messages = try await redis.subscribe(["c"]).makeAsyncIterator()
        server.freeze()
        let start = ContinuousClock.now
        await #expect(throws: RedisError.self) { _ = try await messages.next() }
        #expect(ContinuousClock.now - start < .seconds(3))
        server.thaw()
    }

    @Test("An idle subscription lives on, pinged")
    func idle() async throws {
        let server = try RedisServer()
        let redis = try await server.client { $0.commandTimeout = .seconds(1) }
        let observer = try await server.client()
        var messages = try await redis.subscribe(["c"]).makeAsyncIterator()
        let pings = {
            try await observer.send(["INFO", "commandstats"]).string?.contains("cmdstat_ping:calls=5") == true
        }
        // Three greetings were pings too.
        try await eventually("two pings have passed", pings)
        _ = try await observer.send(["PUBLISH", "c", "still"])
        #expect(try await messages.next()?.message == "still")
    }

    @Test("A reader who falls too far behind learns that messages were missed")
    func overflow() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let subscription = try await redis.subscribe(["c"])
        _ = await redis.pipeline((0..<2000).map { ["PUBLISH", "c", "\($0)"] })
        try await eventually("the subscription is given up") {
            try await redis.send(["PUBSUB", "NUMSUB", "c"]).array?.last == .integer(0)
        }
        var read = 0
        do throws(RedisError) {
            for try await _ in subscription { read += 1 }
            Issue.record("the end was not noticed")
        } catch {
            #expect(error.code == .overflow)
        }
        #expect(read == 1024)
    }

    @Test("A cancelled reader ends, and its connection with it")
    func cancelled() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let reading = Task { for try await _ in try await redis.subscribe(["c"]) {} }
        try await eventually("it listens") {
            try await redis.send(["PUBSUB", "NUMSUB", "c"]).array?.last == .integer(1)
        }
        reading.cancel()
        try await reading.value
        try await eventually("the server knows") {
            try await redis.send(["PUBSUB", "NUMSUB", "c"]).array?.last == .integer(0)
        }
    }

    @Test("Without a server there is no subscription")
    func nobodyHome() async throws {
        let redis = Redis(
            try RedisConfiguration(url: "redis+unix:///tmp/no-such-\(UUID().uuidString).sock"),
            logger: quiet
        )
        let error = try await failure { try await redis.subscribe(["c"]) }
        #expect(error.isFailedConnect)
    }
}
