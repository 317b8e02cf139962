import Testing

@testable import RedisClient

struct HandshakeTests {
    private func handshake(_ url: String) throws -> Handshake { Handshake(try RedisConfiguration(url: url)) }

    private func refusal(_ text: String) -> RedisOutcome { .failure(.server(text, at: "h:6379")) }

    private let fine = RedisOutcome.success(.string(Array("OK".utf8)))

    @Test("Login, name and database come first, then the ping")
    func commands() throws {
        let full = try handshake("redis://ann:pw@h/3").commands
        #expect(
            full == [
                ["AUTH", "ann", "pw"], ["CLIENT", "SETNAME", "groundcrew"], ["SELECT", "3"], ["CLIENT", "ID"], ["PING"],
            ]
        )
        #expect(try handshake("redis://:pw@h").commands.first == ["AUTH", "pw"])
        #expect(try handshake("redis://h").commands.map(\.first) == ["CLIENT", "CLIENT", "PING"])
    }

    @Test("The connection's number is found; a server that refuses name and number is used all the same")
    func number() throws {
        let handshake = try handshake("redis://h")
        #expect(try handshake.verdict([fine, .success(.integer(9)), fine]).get() == 9)
        #expect(try handshake.verdict([refusal("ERR no"), refusal("NOPERM no"), fine]).get() == nil)
    }

    @Test("A refused login names the setting and hides what the server quotes")
    func login() async throws {
        let handshake = try handshake("redis://:hunter2@h")
        let error = try await failure {
            try handshake.verdict([
                refusal("ERR unknown command `AUTH`, with args beginning with: `hunter2`"), fine, fine, fine,
            ]).get()
        }
        #expect(error.code == .connectFailed)
        #expect(error.message.contains("Correct user and password in REDIS_URL"))
        #expect(!error.message.contains("hunter2"))
    }

    @Test("A server that wants a password, loads its data or lacks the database is not used")
    func unfit() async throws {
        for (outcomes, words) in [
            ([fine, fine, fine, refusal("NOAUTH Authentication required.")], "wants a password"),
            ([fine, fine, fine, refusal("LOADING Redis is loading the dataset in memory")], "LOADING"),
            ([fine, refusal("ERR DB index is out of range"), fine, fine], "database 99"),
        ] {
            let error = try await failure {
                try Handshake(RedisConfiguration(url: "redis://h/99")).verdict(outcomes).get()
            }
            #expect(error.code == .connectFailed)
            #expect(error.message.contains(words))
        }
    }
}
