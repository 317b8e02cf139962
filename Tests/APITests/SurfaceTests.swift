import Domain
import Foundation
import HTTPTypes
import Stores
import TestSupport
import Testing

@testable import API

/// SC-38: what holds on every route there is, and on every one that is added to a table.
@Suite("Every route", .serialized)
struct SurfaceTests {
    /// Routes of the other family, which has none of its own yet.
    private static let collection: [Route] = [
        .get("/api/v1/probe", access: .read) { _ in .ok(["data": []]) },
        .post("/api/v1/probe", access: .write) { request in .created(["data": .object(try await request.object())]) },
    ]

    private func path(_ row: Route) -> String {
        row.path.split(separator: "/").map { $0.hasPrefix(":") ? "cunknown" : String($0) }
            .reduce("") { "\($0)/\($1)" }
    }

    private func checkHeaders(_ reply: Reply, _ place: String) {
        #expect(reply.header("Content-Type") == "application/json; charset=utf-8", "\(place)")
        #expect(reply.header("Cache-Control") == "no-store", "\(place)")
        #expect(reply.header("X-Request-Id")?.isEmpty == false, "\(place)")
    }

    @Test("X-1, X-5, X-13: without a credential every route but the open ones is 401 in its family's form")
    func unauthorized() async throws {
        try await APIUnderTest.run(extra: Self.collection) { api in
            for row in api.routes where row.access != .open {
                let place = "\(row.method) \(row.path)"
                let reply = try await api.servers[0](row.method, path(row), nil, [:])
                #expect(reply.status == 401, "\(place)")
                #expect(reply.header("WWW-Authenticate") == "Bearer", "\(place)")
                #expect(reply.number("X-RateLimit-Limit") != nil, "\(place)")
                let expected: JSON =
                    row.path.hasPrefix("/api/v1/")
                    ? ["error": ["code": "unauthorized", "message": "Missing or invalid API key"]]
                    : ["error": "Unauthorized"]
                #expect(reply.body == expected, "\(place)")
                checkHeaders(reply, place)
            }
        }
    }

    @Test("X-2: a session's cookie does not open the collection family, and a broken key is not helped by a cookie")
    func kinds() async throws {
        try await APIUnderTest.run(extra: Self.collection) { api in
            let owner = try await api.logIn()
            #expect(try await api.get("/api/v1/probe", owner).status == 401)
            #expect(try await api.get("/api/v1/probe").status == 200)
            #expect(
                try await api.get("/api/billing", owner.merging(["Authorization": "Bearer x"]) { $1 }).status == 401
            )
        }
    }

    @Test("X-12: another method is 405 with Allow, another path 404, each in its family's form")
    func unknown() async throws {
        try await APIUnderTest.run(extra: Self.collection) { api in
            for (path, rows) in Dictionary(grouping: api.routes, by: { path($0) }) {
                let allow = rows.map(\.method.rawValue).sorted().joined(separator: ", ")
                let other = rows.contains { $0.method == .put } ? HTTPRequest.Method.post : .put
                let reply = try await api.servers[0](other, path, "{}", api.bearer(api.key))
                #expect(reply.status == 405 && reply.header("Allow") == allow, "\(path)")
                checkHeaders(reply, path)
            }
            let plain = try await api.get("/api/nothing")
            #expect(plain.status == 404 && plain.body == ["error": "Not found"])
            let collection = try await api.get("/api/v1/nothing")
            #expect(collection.body == ["error": ["code": "not_found", "message": "Not found"]])
            checkHeaders(collection, "/api/v1/nothing")
        }
    }

    /// Routes whose body is not looked at.
    private static let bodiless: Set = [
        "/api/engagements/:id/run", "/api/engagements/:id/stop", "/api/engagements/:id/pause",
        "/api/engagements/:id/resume", "/api/auth/logout", "/api/v1/webhook-endpoints/:id/rotate-secret",
        "/api/v1/webhook-endpoints/:id/test", "/api/v1/webhook-deliveries/:id/redeliver", "/api/billing/portal",
        "/api/webhooks/stripe",
    ]

    private func headers(for row: Route, _ api: APIUnderTest) async throws -> [String: String] {
        switch row.access {
        case .session, .admin: try await api.logIn()
        case .webhooks, .tasksRead, .tasksWrite: api.bearer(api.collectionKey)
        case .contributor: try await api.contributor()
        case .open, .read, .write, .profile: api.bearer(api.key)
        }
    }

    @Test("X-12: a body over 1 MiB is 413, one that is no JSON object 400, on every route that reads one")
    func bodies() async throws {
        try await APIUnderTest.run(extra: Self.collection) { api in
            let large = #"{"x":""# + String(repeating: "x", count: 1 << 20) + #""}"#
            for row in api.routes where [.post, .patch].contains(row.method) && !Self.bodiless.contains(row.path) {
                let place = "\(row.method) \(row.path)"
                // Where the path names a resource, an unknown one is 404 before the body is read (X-11).
                guard !row.path.contains(":") else { continue }
                // Sign-up says that it is closed before it reads anything.
                guard row.path != "/api/auth/signup" else { continue }
                let headers = try await headers(for: row, api)
                let tooLarge = try await api.servers[0](row.method, path(row), large, headers)
                #expect(tooLarge.status == 413, "\(place)")
                checkHeaders(tooLarge, place)
                for body in ["[", "[]", #""x""#] {
                    let reply = try await api.servers[0](row.method, path(row), body, headers)
                    #expect(reply.status == 400, "\(place) \(body)")
                    #expect(row.path.hasPrefix("/api/v1/") == (reply.body["error"]?["code"] == "validation_error"))
                }
            }
        }
    }

    @Test("X-4, X-11: a viewer's write is 403 before the resource is looked for and before the body is read")
    func order() async throws {
        try await APIUnderTest.run { api in
            let viewer = try await api.member(.viewer).cookie
            for row in api.routes where row.method != .get && ![.open, .session].contains(row.access) {
                let reply = try await api.servers[0](row.method, path(row), "[", viewer)
                // A cookie does not open the collection family at all.
                #expect(reply.status == (row.path.hasPrefix("/api/v1/") ? 401 : 403), "\(row.method) \(row.path)")
            }
        }
    }

    @Test("X-6: with another tenant's key every route answers for its ids as for unknown ones")
    func isolation() async throws {
        try await APIUnderTest.run { api in
            let id = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            let stores = api.world.stores
            let stranger = try await stores.accounts.createTenant(name: "S", plan: .enterprise)
            let key = try #require(
                try await stores.accounts.createKey(tenant: stranger.id, name: "k", scopes: [.readWrite], mode: .live)
            ).plaintext
            let collectionKey = try #require(
                try await stores.accounts.createKey(
                    tenant: stranger.id,
                    name: "c",
                    scopes: APIUnderTest.collectionScopes,
                    mode: .test
                )
            ).plaintext
            let contributor = try await api.contributor()
            let before = try await api.get("/api/engagements/\(id)").text
            for row in api.routes where row.path.contains(":id") && row.access != .admin {
                let own = api.bearer(row.path.hasPrefix("/api/v1/") ? collectionKey : key)
                let headers = row.access == .contributor ? contributor : own
                let unknown = try await api.servers[0](row.method, path(row), "{}", headers)
                let place = path(row).replacing("cunknown", with: id)
                let foreign = try await api.servers[0](row.method, place, "{}", headers)
                #expect(foreign.status == 404 && foreign.text == unknown.text, "\(row.method) \(row.path)")
            }
            #expect(try await api.get("/api/engagements/\(id)").text == before)
        }
    }
}
