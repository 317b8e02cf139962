import Embedded
import Foundation
import Testing

@Suite("A private Redis") struct PrivateRedisTests {
    @Test("redis-cli reaches it, it never evicts and opens no port")
    func answers() async throws {
        try await Workbench.with { bench in
            try await bench.redis { server in
                try await server.expect("PING", gives: "PONG")
                #expect(server.url == "redis+unix://\(server.socket)?db=0")
                let policy = try await Workbench.redisCLI(server, "CONFIG", "GET", "maxmemory-policy")
                #expect(policy.hasSuffix("noeviction"))
                #expect(try await Workbench.redisCLI(server, "CONFIG", "GET", "port").hasSuffix("0"))
            }
        }
    }

    @Test("A durable one keeps its keys over stop, restart and new start; an empty start forgets them")
    func durable() async throws {
        try await Workbench.with { bench in
            try await bench.redis(.durable) { server in
                _ = try await Workbench.redisCLI(server, "SET", "kept", "42")
                await server.stop()
                try await server.restart()
                try await server.expect("GET", "kept", gives: "42")
            }
            try await bench.redis(.durable) { server in
                try await server.expect("GET", "kept", gives: "42")
                try await server.restart(empty: true)
                try await server.expect("DBSIZE", gives: "0")
                _ = try await Workbench.redisCLI(server, "SET", "kept", "43")
            }
            try await bench.redis(.durable, empty: true) { server in
                try await server.expect("DBSIZE", gives: "0")
            }
        }
    }

    // Redis hands its log to the kernel before it answers; the second of `everysec` is about the power, not the process.
    @Test("A durable one finds its keys after kill -9")
    func crash() async throws {
        try await Workbench.with { bench in
            try await bench.redis(.durable) { server in
                _ = try await Workbench.redisCLI(server, "SET", "kept", "42")
                await server.kill()
                #expect(await server.processID == 0)
                try await server.restart()
                try await server.expect("GET", "kept", gives: "42")
            }
        }
    }

    @Test("A throwaway one keeps nothing over a restart")
    func throwaway() async throws {
        try await Workbench.with { bench in
            try await bench.redis { server in
                _ = try await Workbench.redisCLI(server, "SET", "gone", "1")
                try await server.restart()
                try await server.expect("DBSIZE", gives: "0")
            }
        }
    }

    @Test("A second start of the same folder is refused")
    func secondStart() async throws {
        try await Workbench.with { bench in
            try await bench.redis { server in
                await #expect(throws: EmbeddedError.self) { try await bench.redis { _ in } }
                try await server.expect("PING", gives: "PONG")
            }
        }
    }

    @Test("A socket file left by a crash does not prevent the start")
    func staleSocket() async throws {
        try await Workbench.with { bench in
            try await bench.redis { server in
                await server.kill()
                #expect(FileManager.default.fileExists(atPath: server.socket))
                try await server.restart()
                try await server.expect("PING", gives: "PONG")
            }
        }
    }

    @Test("A folder whose path is too long for a socket gets its socket elsewhere, and it goes with the stop")
    func longPath() async throws {
        try await Workbench.with { bench in
            var socket = ""
            try await bench.redis(in: String(repeating: "long-", count: 20)) { server in
                socket = server.socket
                #expect(socket.utf8.count <= 107)
                try await server.expect("PING", gives: "PONG")
            }
            #expect(!FileManager.default.fileExists(atPath: (socket as NSString).deletingLastPathComponent))
        }
    }
}
