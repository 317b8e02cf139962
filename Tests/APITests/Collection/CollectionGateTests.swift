import Domain
import Foundation
import HTTPTypes
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Who may collect, and how often", .serialized)
struct CollectionGateTests {
    private static let task = #"""
        {"title":"Record a busy street","instructions":"Walk any street.","reward_cents":250,"target_submissions":2}
        """#

    private struct Row {
        let method: HTTPRequest.Method
        let path: String
        let scope: Scope
    }

    /// Every route of the family that is about tasks and submissions.
    private func rows(_ task: String, _ submission: String) -> [Row] {
        [
            Row(method: .get, path: "/api/v1/tasks", scope: .tasksRead),
            Row(method: .post, path: "/api/v1/tasks", scope: .tasksWrite),
            Row(method: .get, path: "/api/v1/tasks/\(task)", scope: .tasksRead),
            Row(method: .get, path: "/api/v1/tasks/\(task)/submissions", scope: .tasksRead),
            Row(method: .get, path: "/api/v1/submissions/\(submission)", scope: .tasksRead),
            Row(method: .post, path: "/api/v1/submissions/\(submission)/reject", scope: .tasksWrite),
            Row(method: .post, path: "/api/v1/submissions/\(submission)/approve", scope: .tasksWrite),
            Row(method: .post, path: "/api/v1/tasks/\(task)/cancel", scope: .tasksWrite),
        ]
    }

    @Test(
        "T-2, T-4, D-5, SC-26: each route takes its own scope and no other; a missing one is 403, and nothing was done"
    )
    func scopes() async throws {
        try await APIUnderTest.run { api in
            let task = try await api.task()
            let submission = try await api.submission(for: task, by: try await api.contributor())
            for scope in Scope.allCases {
                let key = try await api.collectionKey([scope])
                for row in rows(task, submission) {
                    guard scope != row.scope else { continue }
                    let reply = try await api.servers[0](row.method, row.path, Self.task, api.bearer(key))
                    #expect(reply.status == 403 && reply.code == "forbidden", "\(scope) \(row.method) \(row.path)")
                }
            }
            for row in rows(task, submission) {
                let key = try await api.collectionKey([row.scope])
                let reply = try await api.servers[0](row.method, row.path, Self.task, api.bearer(key))
                // The submission is rejected by the time that it is approved.
                let expected =
                    row.path.hasSuffix("approve") ? 409 : row.path == "/api/v1/tasks" && row.method == .post ? 201 : 200
                #expect(reply.status == expected, "\(row.method) \(row.path) \(reply.text)")
            }
            let engagements = try await api.get("/api/engagements", api.bearer(api.collectionKey))
            #expect(engagements.status == 403)
        }
    }

    @Test("T-1, T-2, SC-26: no key, a wrong, revoked or expired one, and a cookie are the same 401")
    func unauthorized() async throws {
        try await APIUnderTest.run { api in
            let revoked = try await api.collectionKey()
            let expired = try await api.collectionKey()
            let hashes = [Secret.hash(revoked), Secret.hash(expired)]
            _ = try await api.world.postgres.query(
                "UPDATE api_keys SET revoked_at = now() WHERE key_hash = \(hashes[0])"
            )
            _ = try await api.world.postgres.query(
                "UPDATE api_keys SET expires_at = now() WHERE key_hash = \(hashes[1])"
            )
            let wrong = "gt_test_" + String(repeating: "0", count: 64)
            let headers =
                try await [[:], api.bearer(revoked), api.bearer(expired), api.bearer(wrong), api.bearer("gca_x")]
                + [api.logIn(), api.contributor()]
            for headers in headers {
                let reply = try await api.get("/api/v1/tasks", headers)
                #expect(reply.status == 401)
                #expect(reply.text == #"{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}"#)
            }
        }
    }

    @Test(
        "T-6, T-16, X-6, SC-26: another tenant's rows, and those of the other mode, are 404 byte for byte like unknown ones"
    )
    func foreign() async throws {
        try await APIUnderTest.run { api in
            let stranger = try await api.world.stores.accounts.createTenant(name: "S", plan: nil)
            let task = try await api.task()
            let submission = try await api.submission(for: task, by: try await api.contributor())
            let keys = [
                try await api.collectionKey(APIUnderTest.collectionScopes, .test, of: stranger.id),
                try await api.collectionKey(APIUnderTest.collectionScopes, .live),
            ]
            for key in keys {
                #expect(try await api.get("/api/v1/tasks", api.bearer(key)).text == #"{"data":[]}"#)
                for (row, unknown) in zip(rows(task, submission), rows("tsk_unknown", "sub_unknown")).dropFirst(2) {
                    let one = try await api.servers[0](row.method, row.path, "{}", api.bearer(key))
                    let other = try await api.servers[0](unknown.method, unknown.path, "{}", api.bearer(key))
                    #expect(one.status == 404 && one.code == "not_found" && one.text == other.text, "\(row.path)")
                }
            }
            #expect(try await api.collect("/tasks/\(task)").data?["status"] == "open")
            #expect(try await api.collect("/submissions/\(submission)").data?["status"] == "pending")
        }
    }

    @Test("T-3, X-1: 404, 405, 413, 429 and 500 come in the family's envelope, with the code that belongs to them")
    func envelopes() async throws {
        let limits = [RateTier.collection: RateLimit(count: 4, seconds: 60)]
        try await APIUnderTest.run(settings: .forTests(limits: limits)) { api in
            let key = api.bearer(api.collectionKey)
            let large = #"{"title":""# + String(repeating: "x", count: 1 << 20) + #""}"#
            let method = try await api.servers[0](.patch, "/api/v1/tasks", "{}", key)
            #expect(method.status == 405 && method.code == "not_found" && method.header("Allow") == "GET, POST")
            #expect(
                try await api.get("/api/v1/task", key).text == #"{"error":{"code":"not_found","message":"Not found"}}"#
            )
            let tooLarge = try await api.post("/api/v1/tasks", large, key)
            #expect(tooLarge.status == 413 && tooLarge.code == "validation_error")
            let unknown = try await api.get("/api/v1/submissions/sub_x", key)
            #expect(unknown.status == 404 && unknown.code == "not_found")
            #expect(unknown.number("X-RateLimit-Limit") == 4 && unknown.number("X-RateLimit-Remaining") == 2)
            for _ in 0..<2 { #expect(try await api.get("/api/v1/tasks", key).status == 200) }
            let full = try await api.post("/api/v1/tasks", Self.task, key)
            #expect(full.status == 429 && full.code == "rate_limited")
            #expect(full.number("Retry-After") ?? 0 >= 1 && full.number("X-RateLimit-Remaining") == 0)
            #expect(try await api.count("SELECT count(*) FROM collect_tasks") == 0)
            // Another key of the same tenant has a window of its own.
            let other = try await api.collectionKey()
            _ = try await api.world.postgres.query("ALTER TABLE collect_tasks RENAME TO gone")
            let broken = try await api.get("/api/v1/tasks", api.bearer(other))
            #expect(broken.status == 500 && broken.text == #"{"error":{"code":"internal","message":"Internal error"}}"#)
        }
    }

    // MARK: Idempotency

    private func key(_ api: APIUnderTest, _ name: String, _ key: String? = nil) -> [String: String] {
        api.bearer(key ?? api.collectionKey, ["Idempotency-Key": name])
    }

    @Test(
        "T-7, T-8, SC-23: of twenty same requests at once over two servers one makes a task, and all get the same bytes"
    )
    func replays() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        try await api.post("/api/v1/tasks", Self.task, key(api, "once"), server: index % 2)
                    }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 201 } && Set(replies.map(\.text)).count == 1)
            #expect(replies.count { $0.header("Idempotent-Replayed") == "true" } == 19)
            let live = try await api.collectionKey(APIUnderTest.collectionScopes, .live)
            let other = try await api.post("/api/v1/tasks", Self.task, key(api, "once", live))
            #expect(other.status == 201 && other.data?["id"] != replies[0].data?["id"])
            #expect(try await api.collect("/tasks").data?.arrayValue?.count == 1)
        }
    }

    @Test("T-7: an approval, a rejection, a cancellation and a submission that are repeated have one effect each")
    func effects() async throws {
        try await APIUnderTest.run { api in
            let contributor = try await api.contributor()
            let task = try await api.task()
            let upload = try await api.uploaded(task, by: contributor)
            let draft = JSON.object(["media_object_key": .string(upload), "duration_seconds": 9]).text
            let once = contributor.merging(["Idempotency-Key": "s"]) { $1 }
            let path = "/api/contributor/tasks/\(task)/submissions"
            let made = try await api.post(path, draft, once)
            #expect(made.status == 201)
            #expect(try await api.post(path, draft, once).text == made.text)
            let id = made.body["id"]?.stringValue ?? ""
            let second = try await api.submission(for: task, by: contributor)
            for path in ["/submissions/\(id)/approve", "/submissions/\(second)/reject", "/tasks/\(task)/cancel"] {
                let first = try await api.post("/api/v1" + path, "{}", key(api, path))
                let again = try await api.post("/api/v1" + path, "{}", key(api, path))
                #expect(first.status == 200 && again.status == 200 && again.text == first.text, "\(path)")
                #expect(again.header("Idempotent-Replayed") == "true")
                #expect(try await api.decide(path).status == 409)
            }
            #expect(try await api.count("SELECT count(*) FROM payouts") == 1)
            #expect(try await api.count("SELECT approved_count FROM collect_tasks") == 1)
        }
    }

    @Test("T-9: another request under the key is 409 conflict, faults are not remembered, and a bad key is 400")
    func conflicts() async throws {
        try await APIUnderTest.run { api in
            #expect(try await api.post("/api/v1/tasks", "{}", key(api, "k")).status == 400)
            #expect(try await api.post("/api/v1/tasks", Self.task, key(api, "k")).status == 201)
            let changed = Self.task.replacing("250", with: "251")
            let differs = try await api.post("/api/v1/tasks", changed, key(api, "k"))
            #expect(differs.status == 409 && differs.code == "conflict")
            for bad in ["a b", String(repeating: "x", count: 256)] {
                let reply = try await api.post("/api/v1/tasks", Self.task, key(api, bad))
                #expect(reply.status == 400 && reply.code == "validation_error")
            }
            #expect(try await api.collect("/tasks").data?.arrayValue?.count == 1)
        }
    }
}
