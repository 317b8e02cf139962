import Foundation
import Logging
import Testing

@testable import RedisClient

struct RedisTests {
    @Test("500 callers at once on one connection each get their own replies")
    func concurrent() async throws {
        let redis = try await RedisServer.shared().client()
        let wrong = await withTaskGroup(of: Int.self) { group in
            for caller in 0..<500 {
                group.addTask {
                    var wrong = 0
                    for round in 0..<20 {
                        let text = "\(caller):\(round)"
                        if (try? await redis.send(["ECHO", text]))?.string != text { wrong += 1 }
                    }
                    return wrong
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        #expect(redis.connectionEpoch == 1)
    }

    @Test("500 callers of whom many leave early still get no reply that is another's")
    func concurrentWithLeavers() async throws {
        let redis = try await RedisServer.shared().client { $0.silenceLimit = .seconds(30) }
        let wrong = await withTaskGroup(of: Int.self) { group in
            for caller in 0..<500 {
                group.addTask {
                    let asking = Task {
                        var wrong = 0
                        for round in 0..<20 {
                            let text = "\(caller):\(round)"
                            let timeout = Duration.microseconds((caller + round) % 3 == 0 ? 200 : 10_000_000)
                            if let reply = try? await redis.send(["ECHO", text], timeout: timeout), reply.string != text
                            {
                                wrong += 1
                            }
                        }
                        return wrong
                    }
                    if caller % 5 == 0 { asking.cancel() }
                    return await asking.value
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        #expect(try await redis.send(["ECHO", "after"]).string == "after")
        #expect(redis.connectionEpoch == 1)
    }

    @Test("A pipeline's results come in order, and an error among them stops nothing")
    func pipeline() async throws {
        let redis = try await RedisServer.shared().client()
        let key = UUID().uuidString
        let outcomes = await redis.pipeline([
            ["SET", key, "7"], ["LPUSH", key, "x"], ["INCR", key], ["GET", "no-" + key],
        ])
        #expect(outcomes.count == 4)
        #expect(try outcomes[0].get().string == "OK")
        #expect(throws: RedisError.self) { try outcomes[1].get() }
        #expect(try outcomes[2].get() == .integer(8))
        #expect(try outcomes[3].get() == .null)
        #expect(await redis.pipeline([]).isEmpty)
        let many = await redis.pipeline((0..<20_000).map { ["ECHO", "\($0)"] })
        #expect(try many.map { try $0.get().integer } == (0..<20_000).map { $0 })
    }

    @Test("Any bytes that a string can hold, large replies and large commands pass")
    func sizes() async throws {
        let redis = try await RedisServer.shared().client()
        let key = UUID().uuidString
        let text = String(repeating: "a\r\n\0ж", count: 500_000)
        _ = try await redis.send(["SET", key, text])
        #expect(try await redis.send(["GET", key]).string == text)
        let script = "local t = {} for i = 1, 100000 do t[i] = tostring(i) end return t"
        #expect(try await redis.send(["EVAL", script, "0"]).array?.last?.integer == 100_000)
        #expect(try await redis.send(["EVAL", "return {1, {err = 'ERR inner'}}", "0"]).array?.count == 2)
    }

    @Test("A refused command says what the server said and where")
    func refused() async throws {
        let server = try RedisServer.shared()
        let redis = try await server.client()
        let key = UUID().uuidString
        _ = try await redis.send(["SET", key, "x"])
        let error = try await failure { try await redis.send(["LPUSH", key, "y"]) }
        #expect(error.code == .server(prefix: "WRONGTYPE"))
        #expect(error.message.contains(redis.address) && error.message.contains("WRONGTYPE"))
        #expect(!error.isUnavailable && !error.mayHaveRun)
    }

    @Test("The right password opens, by password alone and as a user; the wrong one says what to correct")
    func login() async throws {
        let server = try RedisServer(["--requirepass", "hunter2"])
        let socket = "\(server.directory)/redis.sock"
        let redis = Redis(try RedisConfiguration(url: "redis+unix://:hunter2@\(socket)"), logger: quiet)
        try await eventually("the client connects") { redis.isConnected }
        _ = try await redis.send(["ACL", "SETUSER", "ann", "on", ">s3cret", "~*", "+@all"])

        let ann = Redis(try RedisConfiguration(url: "redis+unix://ann:s3cret@\(socket)"), logger: quiet)
        #expect(try await ann.send(["ACL", "WHOAMI"]).string == "ann")

        let wrong = Redis(
            try RedisConfiguration(url: "redis+unix://ann:hunter3@\(socket)", setting: "Q_URL"),
            logger: quiet
        )
        let error = try await failure { try await wrong.send(["PING"]) }
        #expect(error.isFailedConnect)
        #expect(error.message.contains("WRONGPASS") && error.message.contains("Q_URL"))
        #expect(!error.message.contains("hunter3"))

        let none = Redis(try RedisConfiguration(url: "redis+unix://\(socket)"), logger: quiet)
        let missing = try await failure { try await none.send(["PING"]) }
        #expect(missing.isFailedConnect && missing.message.contains("wants a password"))
    }

    @Test("Database and name are set on the connection")
    func database() async throws {
        let server = try RedisServer.shared()
        _ = try await server.client()
        var configuration = try RedisConfiguration(url: server.url + "?db=3")
        configuration.clientName = "tester"
        let redis = Redis(configuration, logger: quiet)
        let info = try await redis.send(["CLIENT", "INFO"]).string ?? ""
        #expect(info.contains(" db=3 ") && info.contains(" name=tester "))
    }

    @Test("A client that the full server turns away gets its place when there is one")
    func full() async throws {
        let server = try RedisServer(["--maxclients", "1"])
        let first = try await server.client()
        let second = Redis(try server.configuration(), logger: quiet)
        let error = try await failure { try await second.send(["PING"]) }
        // The server's sentence is lost when our first bytes cross its closing: then the system's own words are shown.
        #expect(error.isFailedConnect)
        #expect(
            ["max number of clients", "reset", "Broken pipe", "closed the connection"].contains {
                error.message.contains($0)
            },
            "\(error)"
        )
        await first.close()
        try await eventually("the second gets its place") { second.isConnected }
    }

    @Test("A closed client lets open replies in and refuses what follows")
    func closing() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        server.freeze()
        let slow = Task { try await redis.send(["INCR", "n"]) }
        try await eventually("the command is under way") { redis.link.current?.isBusy == true }
        async let closing: Void = redis.close()
        server.thaw()
        #expect(try await slow.value == .integer(1))
        await closing
        let error = try await failure { try await redis.send(["PING"]) }
        #expect(error.code == .closed && !redis.isConnected)
        await redis.close()
    }
}
