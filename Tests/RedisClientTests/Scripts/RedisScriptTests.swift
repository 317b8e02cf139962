import TestSupport
import Testing

@testable import RedisClient

struct RedisScriptTests {
    @Test("SHA-1 gives the digests of FIPS 180 and agrees with the server for every length of padding")
    func digests() async throws {
        #expect(SHA1.hexadecimal(of: "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(SHA1.hexadecimal(of: "") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        let redis = try await RedisServer.shared().client()
        for length in 0...130 {
            let body = "return 1 -- " + String(repeating: "é", count: length)
            #expect(try await redis.send(["SCRIPT", "LOAD", body]).string == RedisScript(name: "x", body: body).sha)
        }
    }

    @Test("A script runs when the server knows it, and when it has forgotten it")
    func forgotten() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let script = RedisScript(name: "add", body: "return redis.call('INCRBY', KEYS[1], ARGV[1])")
        #expect(try await redis.run(script, keys: ["n"], arguments: ["2"]) == .integer(2))
        #expect(try await redis.run(script, keys: ["n"], arguments: ["2"]) == .integer(4))
        _ = try await redis.send(["SCRIPT", "FLUSH"])
        #expect(try await redis.run(script, keys: ["n"], arguments: ["2"]) == .integer(6))
    }

    @Test("A script that nobody waits for runs all the same, and once, when the server knows it and when it does not")
    func posted() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let script = RedisScript(name: "add", body: "return redis.call('INCRBY', KEYS[1], ARGV[1])")
        for sum in ["2", "4"] {
            redis.post(script, keys: ["n"], arguments: ["2"])
            try await eventually(within: .seconds(10), "the sum \(sum)") {
                try await redis.send(["GET", "n"]).string == sum
            }
        }
    }

    @Test("Several scripts in one write keep their order, known and unknown ones alike")
    func several() async throws {
        let server = try RedisServer()
        let redis = try await server.client()
        let first = RedisScript(name: "first", body: "return 'a' .. ARGV[1]")
        let second = RedisScript(name: "second", body: "return 'b' .. ARGV[1]")
        _ = try await redis.run(first, keys: [], arguments: ["0"])
        let calls: [RedisScriptCall] = (1...20).map { ($0 % 2 == 0 ? first : second, keys: [], arguments: ["\($0)"]) }
        let texts = try await redis.runAll(calls).map { try $0.get().string }
        #expect(texts == (1...20).map { ($0 % 2 == 0 ? "a" : "b") + "\($0)" })
    }

    @Test("A script's own error keeps its first word and names the script")
    func ownError() async throws {
        let redis = try await RedisServer.shared().client()
        let script = RedisScript(name: "cycle", body: "return redis.error_reply('GCGEN 7 is not 8')")
        let error = try await failure {
            try await redis.run(script, keys: [], arguments: [])
        }
        #expect(error.code == .server(prefix: "GCGEN"))
        #expect(error.serverMessage == "GCGEN 7 is not 8")
        #expect(error.message.contains("(script cycle)"))
    }
}
