import Domain
import Foundation
import HTTPTypes
import Stores
import TestSupport
import Testing

@testable import API

/// What every call of the collection family answers with, and its endpoints for events.
@Suite("The collection family's contract", .serialized)
struct CollectionContractTests {
    @Test("T-1, T-3: every answer is JSON under data or error, whatever the route and whoever calls")
    func envelope() async throws {
        try await APIUnderTest.run { api in
            let task = try await api.task(funded: false)
            let calls: [(HTTPRequest.Method, String, String, [Int])] = [
                (.get, "/tasks", "", [200]), (.get, "/tasks/\(task)", "", [200]), (.get, "/tasks/none", "", [404]),
                (.post, "/tasks", "{}", [400]), (.post, "/tasks", "[", [400]),
                (.get, "/tasks/\(task)/submissions", "", [200]), (.get, "/submissions/none", "", [404]),
                (.post, "/submissions/none/approve", "{}", [404]), (.post, "/tasks/\(task)/cancel", "", [200, 409]),
                (.post, "/tasks/\(task)/cancel", "", [409]), (.get, "/webhook-endpoints", "", [200]),
                (.post, "/webhook-endpoints", "{}", [400]), (.get, "/nothing", "", [404]),
            ]
            for (method, path, body, statuses) in calls {
                for headers in [api.bearer(try await api.collectionKey()), [:]] {
                    let reply = try await api.servers[0](method, "/api/v1" + path, body, headers)
                    let isKnown = path != "/nothing"
                    #expect((headers.isEmpty && isKnown ? [401] : statuses).contains(reply.status), "\(method) \(path)")
                    #expect(reply.header("Content-Type") == "application/json; charset=utf-8")
                    let members = try #require(reply.body.objectValue)
                    guard reply.status >= 400 else {
                        #expect(Array(members.keys) == ["data"])
                        continue
                    }
                    #expect(Array(members.keys) == ["error"])
                    let error = try #require(members["error"]?.objectValue)
                    #expect(Set(error.keys).subtracting(["code", "message", "details"]).isEmpty)
                    #expect(error["message"]?.stringValue?.isEmpty == false)
                    let codes = [
                        400: "validation_error", 401: "unauthorized", 404: "not_found", 409: "conflict",
                    ]
                    #expect(error["code"]?.stringValue == codes[reply.status])
                }
            }
        }
    }

    @Test("T-5, SC-27: 120 requests a minute per key, over two servers, with the limit's headers on every answer")
    func limits() async throws {
        try await APIUnderTest.run(servers: 2, settings: .forTests()) { api in
            let key = api.bearer(api.collectionKey)
            let paths = ["/api/v1/tasks", "/api/v1/tasks/none", "/api/v1/tasks?limit=0"]
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for index in 0..<121 {
                    group.addTask { try await api.get(paths[index % 3], key, server: index % 2) }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            let refused = replies.filter { $0.status == 429 }
            #expect(refused.count == 1 && refused.first?.code == "rate_limited")
            #expect(refused.first?.header("Retry-After") != nil)
            #expect(Set(replies.map(\.status)) == [200, 400, 404, 429])
            for reply in replies { #expect(reply.number("X-RateLimit-Limit") == 120) }
            let admitted = replies.filter { $0.status != 429 }.compactMap { $0.number("X-RateLimit-Remaining") }
            #expect(admitted.sorted() == Array(0..<120))
            let other = try await api.get(paths[0], api.bearer(try await api.collectionKey()))
            #expect(other.status == 200 && other.number("X-RateLimit-Remaining") == 119, "another key has its own")
        }
    }

    @Test("T-19, T-20: an endpoint is made with exactly its members, and shows its secret once")
    func endpoint() async throws {
        try await APIUnderTest.run { api in
            let made = try await api.decide("/webhook-endpoints", #"{"url":"https://hooks.example/a"}"#)
            #expect(made.status == 201, "\(made.text)")
            let members = ["id", "url", "enabled", "signing_secret", "_note", "created_at"]
            let endpoint = try #require(made.data?.objectValue)
            #expect(Set(members).isSubset(of: endpoint.keys), "\(made.text)")
            #expect(endpoint["id"]?.stringValue?.hasPrefix("whe_") == true && endpoint["enabled"] == true)
            #expect(endpoint["url"] == "https://hooks.example/a")
            let secret = try #require(endpoint["signing_secret"]?.stringValue)
            #expect(secret.hasPrefix("gt_whsec_"))
            #expect(endpoint["_note"] == "Store signing_secret securely — it will not be shown again.")
            #expect(endpoint["created_at"]?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            let listed = try await api.collect("/webhook-endpoints")
            #expect(listed.data?.arrayValue?.count == 1 && !listed.text.contains(secret))
            for body in [
                #"{"url":"http://hooks.example/b"}"#, "{}", #"{"url":"nonsense"}"#, #"{"url":5}"#,
                #"{"url":"https://127.0.0.1/b"}"#, #"{"url":"https://10.0.0.1/b"}"#, #"{"url":"https://[::1]/b"}"#,
            ] {
                let refused = try await api.decide("/webhook-endpoints", body)
                #expect(refused.status == 400 && refused.code == "validation_error", "\(body)")
            }
            let twice = try await api.decide("/webhook-endpoints", #"{"url":"https://hooks.example/a"}"#)
            #expect(twice.status == 409 && twice.code == "conflict")
            let live = api.bearer(try await api.collectionKey(APIUnderTest.collectionScopes, .live))
            let other = try await api.post("/api/v1/webhook-endpoints", #"{"url":"https://hooks.example/a"}"#, live)
            #expect(other.status == 201, "the other mode has endpoints of its own")
        }
    }
}
