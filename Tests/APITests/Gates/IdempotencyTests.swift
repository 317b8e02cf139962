import Domain
import Foundation
import PostgresClient
import Queue
import RedisClient
import Stores
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite("Idempotency keys", .serialized)
struct IdempotencyTests {
    private func key(_ api: APIUnderTest, _ key: String) -> [String: String] {
        api.bearer(api.key, ["Idempotency-Key": key])
    }

    @Test("T-7: the same request again gets the same bytes and makes nothing new")
    func replay() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            let first = try await api.post("/api/engagements", APIUnderTest.draft, key(api, "one"))
            #expect(first.status == 201 && first.header("Idempotent-Replayed") == nil)
            let second = try await api.post("/api/engagements", APIUnderTest.draft, key(api, "one"), server: 1)
            #expect(second.status == 201 && second.text == first.text)
            #expect(second.header("Idempotent-Replayed") == "true")
            #expect(second.header("Content-Type") == "application/json; charset=utf-8")
            #expect(try await api.get("/api/engagements").body.arrayValue?.count == 1)
        }
    }

    @Test("T-8: of ten at once over two servers one is done, and all get its answer")
    func concurrent() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        try await api.post("/api/engagements", APIUnderTest.draft, key(api, "same"), server: index % 2)
                    }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 201 } && Set(replies.map(\.text)).count == 1)
            #expect(replies.count { $0.header("Idempotent-Replayed") == "true" } == 9)
            #expect(try await api.get("/api/engagements").body.arrayValue?.count == 1)
        }
    }

    @Test("T-9: another body or path under the same key is 409, another caller's key is another key")
    func differs() async throws {
        try await APIUnderTest.run { api in
            let first = try await api.post("/api/engagements", APIUnderTest.draft, key(api, "k"))
            let id = first.body["id"]?.stringValue ?? ""
            let body = try await api.post("/api/engagements", #"{"name":"M","client":"C","brief":"B"}"#, key(api, "k"))
            #expect(body.status == 409)
            #expect(try await api.post("/api/engagements/\(id)/run", "", key(api, "k")).status == 409)
            let cookie = try await api.logIn().merging(["Idempotency-Key": "k"]) { $1 }
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, cookie).status == 201)
            #expect(try await api.get("/api/engagements").body.arrayValue?.count == 2)
        }
    }

    @Test("T-9: 400 and 403 are not remembered, 404 and 409 are; a malformed key is 400")
    func remembered() async throws {
        try await APIUnderTest.run(plan: nil) { api in
            #expect(try await api.post("/api/engagements", "[", key(api, "a")).status == 400)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, key(api, "a")).status == 403)
            _ = try await api.world.stores.accounts.setPlan(.starter, for: api.tenant)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, key(api, "a")).status == 201)
            #expect(try await api.post("/api/engagements/cnone/run", "", key(api, "b")).status == 404)
            let again = try await api.post("/api/engagements/cnone/run", "", key(api, "b"))
            #expect(again.status == 404 && again.header("Idempotent-Replayed") == "true")
            for bad in ["", "a b", String(repeating: "x", count: 256)] {
                #expect(
                    try await api.post("/api/engagements", APIUnderTest.draft, key(api, bad)).status == 400,
                    "\(bad)"
                )
            }
        }
    }

    @Test("T-7, E-25: a start that is repeated gives the same run, one job, and Redis is told after the commit")
    func start() async throws {
        try await APIUnderTest.run { api in
            try await api.world.agreed()
            let id = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            let first = try await api.post("/api/engagements/\(id)/run", "", key(api, "go"))
            let second = try await api.post("/api/engagements/\(id)/run", "", key(api, "go"))
            #expect(first.status == 200 && second.text == first.text)
            #expect(try await api.world.count("kind = 'crew.start'") == 1)
            try await eventually(within: .seconds(5), "Redis to know the job") {
                let known = try await api.world.redis.send(["HLEN", "{\(api.world.namespace):crew}:b"])
                return known.integer == 1
            }
        }
    }

    @Test("X-3: an API key's answer is replayed with the same key, and no plaintext is in the database")
    func secrets() async throws {
        try await APIUnderTest.run { api in
            let owner = try await api.logIn().merging(["Idempotency-Key": "k"]) { $1 }
            let first = try await api.post("/api/api-keys", #"{"name":"n"}"#, owner)
            let second = try await api.post("/api/api-keys", #"{"name":"n"}"#, owner)
            #expect(first.status == 201 && second.text == first.text)
            let plaintext = try #require(first.body["key"]?.stringValue)
            #expect(try await api.get("/api/billing", api.bearer(plaintext)).status == 200)
            let found = try await api.world.postgres.query(
                """
                SELECT count(*) FROM idempotency_keys
                WHERE position(\(String(plaintext.dropFirst(8))) IN encode(answer, 'escape')) > 0
                """
            )
            #expect(try found.first?.decode(Int.self) ?? -1 == 0)
        }
    }

    @Test("T-7: after 24 hours the key is free again")
    func expiry() async throws {
        try await APIUnderTest.run { api in
            let first = try await api.post("/api/engagements", APIUnderTest.draft, key(api, "k"))
            _ = try await api.world.postgres.query(
                "UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"
            )
            let second = try await api.post("/api/engagements", APIUnderTest.draft, key(api, "k"))
            #expect(second.status == 201 && second.text != first.text)
            _ = try await api.world.postgres.query(
                "UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"
            )
            try await AccountUpkeep(api.world.postgres).run()
            let left = try await api.world.postgres.query("SELECT count(*) FROM idempotency_keys")
            #expect(try left.first?.decode(Int.self) ?? -1 == 0)
        }
    }

    // MARK: The store

    private func store(_ world: World, patience: Duration = .seconds(10)) -> IdempotencyStore {
        IdempotencyStore(world.postgres, sealer: .answers(Array(0..<32)), patience: patience)
    }

    private let request = IdempotencyStore.Request(principal: "p", key: "k", content: [1])

    @Test("T-8: one that is still under way when patience ends is reported as busy")
    func busy() async throws {
        let world = try await World.fresh()
        let outcome = try await store(world).once(request) {
            let second = try await Task.detached {
                try await store(world, patience: .milliseconds(100)).once(request) { (0, nil) }
            }.value
            if case .busy = second { return (true, IdempotencyStore.Answer(status: 200, body: "{}")) }
            return (false, nil)
        }
        guard case .performed(true) = outcome else { throw NeverHappened(description: "\(outcome)") }
        await world.close()
    }

    @Test("D-63: what a process did that died before its commit is undone, and the next one does it")
    func takeover() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.query("CREATE TABLE effects (n int)")
        let answer = IdempotencyStore.Answer(status: 201, body: "{}")
        await #expect(throws: PostgresError.self) {
            _ = try await store(world).once(request) {
                _ = try await world.postgres.query("INSERT INTO effects VALUES (1)")
                _ = try await world.postgres.query("SELECT pg_terminate_backend(pg_backend_pid())")
                return (0, answer)
            }
        }
        let second = try await store(world).once(request) {
            _ = try await world.postgres.query("INSERT INTO effects VALUES (2)")
            return (0, answer)
        }
        guard case .performed = second else { throw NeverHappened(description: "\(second)") }
        let effects = try await world.postgres.query("SELECT n FROM effects").map { try $0.decode(Int.self) }
        #expect(effects == [2])
        await world.close()
    }

    private final class Flag: Sendable {
        private let raised = Mutex(false)
        var isRaised: Bool { raised.withLock { $0 } }
        func raise() { raised.withLock { $0 = true } }
    }

    @Test("an answer that is not kept rolls back what was written, savepoints included, and no deed is done")
    func notKept() async throws {
        let world = try await World.fresh()
        _ = try await world.postgres.query("CREATE TABLE effects (n int)")
        let told = Flag()
        let outcome = try await store(world).once(request) {
            try await world.postgres.retryingTransaction { transaction in
                _ = try await transaction.query("INSERT INTO effects VALUES (1)")
            }
            await world.postgres.afterCommit { told.raise() }
            return (7, nil)
        }
        guard case .performed(7) = outcome else { throw NeverHappened(description: "\(outcome)") }
        #expect(try await world.postgres.query("SELECT n FROM effects").count == 0)
        #expect(!told.isRaised)
        await world.close()
    }
}
