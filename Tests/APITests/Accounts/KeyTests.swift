import Domain
import Foundation
import HTTPTypes
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("API keys", .serialized)
struct KeyTests {
    @Test("S-5, S-6: a key is shown once, is listed without its secret, and works with its scopes")
    func create() async throws {
        try await APIUnderTest.run { api in
            let owner = try await api.logIn()
            let made = try await api.post(
                "/api/api-keys",
                #"{"name":"CI","scopes":["read_only"],"mode":"test"}"#,
                owner
            )
            #expect(made.status == 201)
            let key = made.body["key"]?.stringValue ?? ""
            #expect(key.wholeMatch(of: /gt_test_[0-9a-f]{64}/) != nil)
            #expect(made.body["prefix"]?.stringValue == String(key.prefix(12)))
            #expect(try await api.get("/api/engagements", api.bearer(key)).status == 200)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, api.bearer(key)).status == 403)
            let list = try await api.get("/api/api-keys", owner)
            let first = list.body["keys"]?.arrayValue?.first
            let keys: Set = [
                "id", "name", "prefix", "mode", "scopes", "engagementId", "lastUsedAt", "expiresAt", "createdAt",
            ]
            #expect(Set(first?.objectValue?.keys.map(\.self) ?? []) == keys)
            #expect(first?["lastUsedAt"]?.stringValue != nil)
            #expect(!list.text.contains(key))
        }
    }

    @Test("D-4: an API key may not manage keys, and a viewer's session neither")
    func sessionOnly() async throws {
        try await APIUnderTest.run { api in
            let list = try await api.get("/api/api-keys")
            let create = try await api.post("/api/api-keys", #"{"name":"n"}"#)
            let viewer = try await api.get("/api/api-keys", try await api.member(.viewer).cookie)
            #expect(list.status == 403 && create.status == 403 && viewer.status == 403)
        }
    }

    @Test(
        "S-6: what is wrong with a request for a key is said",
        arguments: [
            "{}", #"{"name":" "}"#, #"{"name":"n","mode":"x"}"#, #"{"name":"n","scopes":[]}"#,
            #"{"name":"n","scopes":["all"]}"#, #"{"name":"n","expiresAt":"tomorrow"}"#,
            #"{"name":"n","expiresAt":"2030-02-30T00:00:00Z"}"#, #"{"name":"n","engagementId":"cnone"}"#,
        ]
    )
    func invalid(body: String) async throws {
        try await APIUnderTest.run { api in
            let reply = try await api.post("/api/api-keys", body, try await api.logIn())
            #expect(reply.status == 400)
        }
    }

    @Test("S-7: rotation stops the old key at once, or after the overlap; revoked and expired keys are 401")
    func life() async throws {
        try await APIUnderTest.run { api in
            let owner = try await api.logIn()
            func works(_ key: String) async throws -> Bool {
                try await api.get("/api/billing", api.bearer(key)).status == 200
            }
            let made = try await api.post("/api/api-keys", #"{"name":"n"}"#, owner).body
            let (id, first) = (made["id"]?.stringValue ?? "", made["key"]?.stringValue ?? "")
            let rotated = try await api.post("/api/api-keys/\(id)/rotate", "", owner)
            let second = rotated.body["key"]?.stringValue ?? ""
            #expect(rotated.status == 200 && rotated.body["id"]?.stringValue == id)
            #expect(try await !works(first))
            #expect(try await works(second))

            let overlap = try await api.post("/api/api-keys/\(id)/rotate", #"{"overlapSeconds":3600}"#, owner)
            let third = overlap.body["key"]?.stringValue ?? ""
            #expect(try await works(second))
            #expect(try await works(third))
            _ = try await api.world.postgres.query("UPDATE api_keys SET old_until = now() WHERE id = \(id)")
            #expect(try await !works(second))

            _ = try await api.world.postgres.query("UPDATE api_keys SET expires_at = now() WHERE id = \(id)")
            #expect(try await !works(third))
            _ = try await api.world.postgres.query("UPDATE api_keys SET expires_at = NULL WHERE id = \(id)")
            #expect(try await works(third))
            #expect(try await api.servers[0](.delete, "/api/api-keys/\(id)", nil, owner).status == 200)
            #expect(try await !works(third))
            #expect(try await api.servers[0](.delete, "/api/api-keys/\(id)", nil, owner).status == 404)
            #expect(try await api.post("/api/api-keys/\(id)/rotate", "", owner).status == 404)
        }
    }

    @Test("S-6: a key for one engagement sees that one and nothing else")
    func oneEngagement() async throws {
        try await APIUnderTest.run { api in
            let owner = try await api.logIn()
            let mine = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            let other = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            let body = #"{"name":"n","engagementId":"\#(mine)"}"#
            let key = try await api.post("/api/api-keys", body, owner).body["key"]?.stringValue ?? ""
            #expect(try await api.get("/api/engagements/\(mine)", api.bearer(key)).status == 200)
            let foreign = try await api.get("/api/engagements/\(other)", api.bearer(key))
            #expect(foreign.status == 404 && foreign.body == ["error": "Not found"])
            #expect(try await api.get("/api/engagements", api.bearer(key)).status == 403)
        }
    }

    @Test("X-6: another tenant's keys and members are as unknown as none")
    func isolation() async throws {
        try await APIUnderTest.run { api in
            let mine = try await api.post("/api/api-keys", #"{"name":"n"}"#, try await api.logIn()).body
            let id = mine["id"]?.stringValue ?? ""
            let stores = api.world.stores
            let hash = try await stores.passwords.hash(APIUnderTest.password)
            let stranger = try await stores.accounts.createTenant(name: "S", plan: nil, passwordHash: hash)
            let cookie = try await api.logIn(stranger.email)
            for path in ["/api/api-keys/\(id)", "/api/team/\(id)"] {
                #expect(try await api.servers[0](.delete, path, nil, cookie).status == 404)
            }
            #expect(try await api.post("/api/api-keys/\(id)/rotate", "", cookie).status == 404)
            #expect(try await api.get("/api/api-keys", cookie).body == ["keys": []])
            #expect(try await api.get("/api/billing", cookie).body["plan"] == .null)
        }
    }
}
