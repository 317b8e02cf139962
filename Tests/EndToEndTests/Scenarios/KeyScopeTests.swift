import Domain
import PostgresClient
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-26, T-1 to T-6, X-2, X-3: each key opens what its scopes and its mode say, on both replicas, and is told once"
    )
    func keysAndScopes() async throws {
        let house = try #require(Scene.current).house
        let t1 = try await house.customer(.enterprise)
        let owner = try await t1.owner()
        let (d1, _, plaintext) = try await Self.key(
            ["tasks:read", "tasks:write", "webhooks:write"],
            "test",
            owner,
            house
        )
        let (d1l, _, _) = try await Self.key(["tasks:read", "tasks:write"], "live", owner, house)
        let (d1r, _, _) = try await Self.key(["tasks:read"], "test", owner, house)
        try await Self.unauthorized(owner, house)
        let task = try await d1.a.createTask()
        for path in ["/api/v1/tasks", "/api/v1/tasks/\(task)", "/api/v1/tasks/\(task)/submissions"] {
            #expect(try await d1r.b.call("GET", path).status == 200, "\(path)")
        }
        let k1 = try await t1.key()
        let writes = [
            ("/api/v1/tasks", CollectionDraft.body([:])),
            ("/api/v1/webhook-endpoints", #"{"url":"https://h.example/"}"#),
        ]
        for (path, body) in writes {
            for (turn, key) in [d1r, d1r, k1, k1].enumerated() {
                let refused = try await key[turn].ask("POST", path, body)
                #expect(refused.status == 403 && refused.body["error"]?["code"] == "forbidden", "\(path)")
            }
        }
        #expect(try await k1.b.call("GET", "/api/v1/tasks").status == 403)
        #expect(try await d1.a.call("GET", "/api/engagements").status == 403)
        let live = try await d1l.b.createTask()
        #expect(try await Self.tasks(d1.b) == [task])
        #expect(try await Self.tasks(d1l.a) == [live])
        #expect(try await d1l.a.call("GET", "/api/v1/tasks/\(task)").status == 404)
        for key in [d1, k1] { #expect(try await key.a.call("GET", "/api/api-keys").status == 403) }
        let listed = try await owner.b.ask("GET", "/api/api-keys")
        #expect(listed.status == 200 && !listed.text.contains(plaintext))
        let rows = try house.fleet.databaseDump()
        let said = try house.words()
        #expect(rows.contains(task) && !said.isEmpty, "there is nothing to look through")
        #expect(!rows.contains(plaintext) && !said.contains(plaintext))
    }

    /// None, a wrong, a revoked and an expired key, an agent's token and a session are the same 401 on either replica.
    private static func unauthorized(_ owner: Credential, _ house: Installation) async throws {
        let (revoked, revokedID, _) = try await key(["tasks:read"], "test", owner, house)
        let (expired, expiredID, _) = try await key(["tasks:read"], "test", owner, house)
        for replica in [revoked.b, expired.b] { #expect(try await replica.call("GET", "/api/v1/tasks").status == 200) }
        #expect(try await owner.a.call("DELETE", "/api/api-keys/\(revokedID)").status == 200)
        _ = try await house.fleet.world.postgres.query("UPDATE api_keys SET expires_at = now() WHERE id = \(expiredID)")
        let none = house.credential("")
        let wrong = house.credential("gt_test_" + String(repeating: "0", count: 64))
        let agent = house.credential("gca_" + String(repeating: "0", count: 64))
        for (turn, who) in [none, wrong, revoked, expired, agent, owner].enumerated() {
            for replica in [who.a, who.b] {
                let answer = try await replica.ask("GET", "/api/v1/tasks")
                #expect(answer.status == 401, "credential \(turn)")
                #expect(answer.text == #"{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}"#)
            }
        }
    }

    /// A key that the owner makes at replica A.
    private static func key(
        _ scopes: [String],
        _ mode: String,
        _ owner: Credential,
        _ house: Installation
    ) async throws -> (Credential, id: String, plaintext: String) {
        let wish: JSON = ["name": "k", "mode": .string(mode), "scopes": .array(scopes.map(JSON.string))]
        let made = try await owner.a.call("POST", "/api/api-keys", wish)
        let plaintext = try #require(made.body["key"]?.stringValue, "\(made.body.text)")
        return (house.credential(plaintext), try #require(made.body["id"]?.stringValue), plaintext)
    }

    private static func tasks(_ caller: Caller) async throws -> [String] {
        let list = try await caller.call("GET", "/api/v1/tasks").body["data"]
        return list?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
    }
}
