import Domain
import Embedded
import Foundation
import HTTPTypes
import PostgresClient
import RedisClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("The list of engagements", .serialized)
struct EngagementListTests {
    private func ids(_ reply: Reply) -> [String] {
        reply.body.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
    }

    @Test("E-3, E-4: a change over one server shows in the next list of the other one")
    func otherServer() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            #expect(try await api.get("/api/engagements", server: 1).body == [])
            let id = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            #expect(ids(try await api.get("/api/engagements", server: 1)) == [id])
            _ = try await api.post("/api/engagements/\(id)/run")
            let running = try await api.get("/api/engagements", server: 1)
            #expect(running.body.arrayValue?.first?["status"] == "running")
            let refused = try await api.servers[0](.delete, "/api/engagements/\(id)", nil, api.bearer(api.key))
            #expect(refused.status == 409)
            #expect(refused.body == ["error": "Cannot delete a running engagement. Stop it first."])
            _ = try await api.world.postgres.query("UPDATE engagements SET status = 'failed'")
            let gone = try await api.servers[0](.delete, "/api/engagements/\(id)", nil, api.bearer(api.key))
            #expect(gone.status == 200 && gone.body == ["success": true])
            #expect(try await api.get("/api/engagements", server: 1).body == [])
        }
    }

    @Test("SC-13: while one server creates and deletes, the other never shows a deleted one nor misses a created one")
    func race() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            let history = WriteHistory()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await write(api, history) }
                group.addTask { try await read(api, history) }
                try await group.waitForAll()
            }
        }
    }

    private func write(_ api: APIUnderTest, _ history: WriteHistory) async throws {
        for round in 0..<60 {
            let id = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            history.note { $0.created.insert(id) }
            guard round % 2 == 0 else { continue }
            history.note { $0.deleting.insert(id) }
            _ = try await api.servers[0](.delete, "/api/engagements/\(id)", nil, api.bearer(api.key))
            history.note { $0.deleted.insert(id) }
        }
        history.note { $0.isOver = true }
    }

    private func read(_ api: APIUnderTest, _ history: WriteHistory) async throws {
        while true {
            let before = history.now
            let seen = Set(ids(try await api.get("/api/engagements", server: 1)))
            let after = history.now
            #expect(WriteHistory.allows(seen, between: before, and: after))
            if before.isOver { return }
        }
    }

    @Test("E-5: an unchanged list comes out of Redis, then out of the process; a change by anybody leaves both behind")
    func cached() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            _ = try await api.post("/api/engagements", APIUnderTest.draft)
            let pattern = "\(api.world.namespace):{list:*"
            try await eventually(within: .seconds(10), "the list in Redis") {
                _ = try await api.get("/api/engagements")
                return try await api.world.redis.send(["KEYS", pattern]).array?.isEmpty == false
            }
            let keys = try await api.world.redis.send(["KEYS", pattern]).array?.compactMap(\.string) ?? []
            let key = try #require(keys.first)
            #expect(keys.count == 1)
            _ = try await api.world.redis.send(["SET", key, #"["from Redis"]"#])
            // The other server has not asked for it yet.
            try await eventually(within: .seconds(10), "the list to come from Redis") {
                try await api.get("/api/engagements", server: 1).body == ["from Redis"]
            }
            _ = try await api.world.redis.send(["DEL", key])
            #expect(try await api.get("/api/engagements", server: 1).body == ["from Redis"])
            // A writer that knows nothing of the cache, and dies after its commit.
            _ = try await api.world.postgres.query("UPDATE engagements SET name = 'Other'")
            for server in 0..<2 {
                let list = try await api.get("/api/engagements", server: server)
                #expect(list.body.arrayValue?.first?["name"] == "Other")
            }
        }
    }

    @Test("E-5: with Redis away the list is right")
    func withoutRedis() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        try await APIUnderTest.run(redisURL: redis.url) { api in
            let first = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            #expect(ids(try await api.get("/api/engagements")) == [first])
            await redis.stop()
            let second = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            let list = try await api.get("/api/engagements")
            #expect(list.status == 200 && ids(list) == [second, first])
        }
    }

    @Test("SC-09: of twelve creates at once over two servers one gets the last slot, and a delete gives none back")
    func monthlyLimit() async throws {
        try await APIUnderTest.run(servers: 2, plan: .starter) { api in
            var last = ""
            for _ in 0..<4 {
                last = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            }
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for index in 0..<12 {
                    group.addTask { try await api.post("/api/engagements", APIUnderTest.draft, server: index % 2) }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.count { $0.status == 201 } == 1)
            let refused = replies.filter { $0.status == 403 }
            #expect(refused.count == 11)
            #expect(refused.allSatisfy { $0.body == ["error": "Monthly engagement limit reached (5/5)"] })
            _ = try await api.servers[0](.delete, "/api/engagements/\(last)", nil, api.bearer(api.key))
            #expect(try await api.post("/api/engagements", APIUnderTest.draft).status == 403)
            let billing = try await api.get("/api/billing").body
            #expect(billing["plan"] == "starter" && billing["status"] == "active")
            #expect(billing["limits"]?["engagementsPerMonth"] == 5 && billing["usage"]?["engagements"] == 5)
        }
    }
}
