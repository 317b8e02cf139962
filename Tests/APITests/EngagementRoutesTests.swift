import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@testable import API

/// The API on real stores, through its real router.
@Suite("Engagements API")
struct EngagementRoutesTests {
    struct Answer: Sendable {
        let status: Int
        let body: JSON
        let headers: HTTPFields
    }

    struct Desk: Sendable {
        let world: World
        let key: String
        let tenant: String
        let call: @Sendable (HTTPRequest.Method, String, String?, String?) async throws -> Answer

        func get(_ path: String) async throws -> Answer { try await call(.get, path, nil, key) }
        func post(_ path: String, _ body: String = "") async throws -> Answer { try await call(.post, path, body, key) }
    }

    private func desk(plan: Plan? = .enterprise, _ body: @escaping @Sendable (Desk) async throws -> Void) async throws {
        let world = try await World.fresh()
        let accounts = world.stores.accounts
        let tenant = try await accounts.createTenant(name: "T", plan: plan)
        let key = try #require(
            try await accounts.createKey(tenant: tenant.id, name: "k", scopes: [.readWrite], mode: .live)
        )
        let table = APIService.table(
            stores: world.stores,
            queue: world.queue,
            settings: .forTests(),
            logger: world.logger
        )
        try await Application(router: table.router()).test(.router) { client in
            let desk = Desk(world: world, key: key.plaintext, tenant: tenant.id.rawValue) { method, path, body, key in
                var headers = HTTPFields()
                if let key { headers[.authorization] = "Bearer \(key)" }
                let response = try await client.execute(
                    uri: path,
                    method: method,
                    headers: headers,
                    body: body.map { ByteBuffer(string: $0) }
                )
                let json = try? JSON(parsing: Data(response.body.readableBytesView))
                return Answer(status: Int(response.status.code), body: json ?? .null, headers: response.headers)
            }
            try await body(desk)
        }
        await world.close()
    }

    private let good = #"{"name":"Go To Market  Strategy!","client":"Acme","brief":"Sell it."}"#

    @Test("E-6, E-7: a new engagement has exactly the documented keys, its slug and its defaults")
    func create() async throws {
        try await desk { desk in
            let answer = try await desk.post("/api/engagements", good)
            #expect(answer.status == 201)
            let keys: Set = [
                "id", "tenantId", "name", "client", "slug", "brief", "budget", "tasks", "status", "createdAt",
            ]
            #expect(Set(answer.body.objectValue?.keys.map(\.self) ?? []) == keys)
            #expect(answer.body["slug"] == "go-to-market-strategy")
            #expect(answer.body["budget"]?.doubleValue == 5)
            #expect(answer.body["tasks"] == [])
            #expect(answer.body["status"] == "pending")
            #expect(answer.body["tenantId"]?.stringValue == desk.tenant)
            let id = answer.body["id"]?.stringValue ?? ""
            #expect(id.wholeMatch(of: /c[a-z0-9]{24}/) != nil)
            let time = answer.body["createdAt"]?.stringValue ?? ""
            #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.headers[.contentType] == "application/json; charset=utf-8")
            #expect(answer.headers[.requestID] != nil)
            let list = try await desk.get("/api/engagements")
            #expect(list.body.arrayValue == [answer.body])
        }
    }

    @Test(
        "E-8, E-12, X-12: a malformed body gets its 400 and changes nothing",
        arguments: [
            (#"{"client":"a","brief":"b"}"#, "Name, client, and brief are required"),
            (#"{"name":"  ","client":"a","brief":"b"}"#, "Name, client, and brief are required"),
            (#"{"name":5,"client":"a","brief":"b"}"#, "Name, client, and brief are required"),
            (#"{"name":"n","client":"a","brief":"b","budget":0}"#, "Budget must be a positive number"),
            (#"{"name":"n","client":"a","brief":"b","budget":"5"}"#, "Budget must be a positive number"),
            (#"{"name":"n","client":"a","brief":"b","budget":100001}"#, "Budget must be a positive number"),
            (#"{"name":"n","client":"a","brief":"b","tasks":{}}"#, "tasks: must be an array"),
            (
                #"{"name":"n","client":"a","brief":"b","tasks":[{"id":"a","title":"A"},{"id":"b","title":"B","dependsOn":["x"]}]}"#,
                #"tasks[1].dependsOn: unknown task "x""#
            ),
            ("[", "The body is not valid JSON"), ("[]", "The body must be a JSON object"),
            (#""x""#, "The body must be a JSON object"), ("", "The body is not valid JSON"),
            (
                #"{"name":"n\u0000","client":"a","brief":"b"}"#,
                "The body holds the character U+0000, which is not allowed"
            ),
        ]
    )
    func invalid(body: String, message: String) async throws {
        try await desk { desk in
            let answer = try await desk.post("/api/engagements", body)
            #expect(answer.status == 400)
            #expect(answer.body == ["error": .string(message)])
            #expect(try await desk.get("/api/engagements").body == [])
        }
    }

    @Test("X-12: a body over 1 MiB is refused with 413, deep nesting with 400")
    func bombs() async throws {
        try await desk { desk in
            let large = String(repeating: "x", count: 1 << 20)
            let tooLarge = try await desk.post("/api/engagements", #"{"name":"\#(large)","client":"a","brief":"b"}"#)
            #expect(tooLarge.status == 413)
            let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
            let nested = try await desk.post("/api/engagements", #"{"name":"n","client":"a","brief":"b","x":\#(deep)}"#)
            #expect(nested.status == 400)
        }
    }

    @Test("X-5, X-2: without a valid key the answer is 401 in the family's envelope")
    func unauthorized() async throws {
        try await desk { desk in
            let wrong = "gt_live_" + String(repeating: "0", count: 64)
            for key in [nil, "", "nonsense", wrong, desk.key + "0", "gca_" + wrong] {
                let answer = try await desk.call(.get, "/api/engagements", nil, key)
                #expect(answer.status == 401 && answer.body == ["error": "Unauthorized"])
                #expect(answer.headers[.wwwAuthenticate] == "Bearer")
            }
        }
    }

    @Test("X-4: a read_only key reads and may not write; a key with collection scopes may not even read")
    func scopes() async throws {
        try await desk { desk in
            let accounts = desk.world.stores.accounts
            let tenant = ID<Tenant>(desk.tenant)
            let reader = try #require(
                try await accounts.createKey(tenant: tenant, name: "r", scopes: [.readOnly], mode: .test)
            )
            #expect(try await desk.call(.get, "/api/engagements", nil, reader.plaintext).status == 200)
            let refused = try await desk.call(.post, "/api/engagements", good, reader.plaintext)
            #expect(refused.status == 403 && refused.body == ["error": "Write access required"])
            let other = try #require(
                try await accounts.createKey(tenant: tenant, name: "c", scopes: [.tasksRead], mode: .live)
            )
            #expect(try await desk.call(.get, "/api/engagements", nil, other.plaintext).status == 403)
        }
    }

    @Test("X-12: an unknown route is 404, a known path with another method 405 with Allow")
    func routes() async throws {
        try await desk { desk in
            let unknown = try await desk.get("/api/nothing")
            #expect(unknown.status == 404 && unknown.body == ["error": "Not found"])
            let method = try await desk.call(.put, "/api/engagements", "{}", desk.key)
            #expect(method.status == 405 && method.headers[.allow] == "GET, POST")
        }
    }

    @Test("E-9, E-25: without a subscription neither create nor run")
    func subscription() async throws {
        try await desk(plan: nil) { desk in
            let answer = try await desk.post("/api/engagements", good)
            #expect(answer.status == 403 && answer.body == ["error": "Active subscription required"])
        }
    }

    @Test("E-10, E-11: of twelve creates at once a starter's last five slots are given out once each")
    func monthlyLimit() async throws {
        try await desk(plan: .starter) { desk in
            var statuses: [Int] = []
            var refusal = JSON.null
            for _ in 0..<7 {
                let answer = try await desk.post("/api/engagements", good)
                statuses.append(answer.status)
                if answer.status == 403 { refusal = answer.body }
            }
            #expect(statuses.count { $0 == 201 } == 5)
            #expect(refusal == ["error": "Monthly engagement limit reached (5/5)"])
        }
    }

    @Test("E-22, E-23, E-25: of ten starts at once one gets the run, the others 409, and there is one job")
    func start() async throws {
        try await desk { desk in
            let id = try await desk.post("/api/engagements", good).body["id"]?.stringValue ?? ""
            let caller = try #require(try await desk.world.stores.accounts.caller(key: desk.key))
            let started = try await withThrowingTaskGroup(of: Bool.self) { group in
                let world = desk.world
                for _ in 0..<10 {
                    group.addTask {
                        try await world.queue.transaction { transaction in
                            if case .started = try await world.stores.runs.start(
                                ID(id),
                                for: caller,
                                in: transaction.sql
                            ) {
                                true
                            } else {
                                false
                            }
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(started == 1)
            let again = try await desk.post("/api/engagements/\(id)/run")
            #expect(again.status == 409 && again.body == ["error": "Engagement is already running"])

            let other = try await desk.post("/api/engagements", good).body["id"]?.stringValue ?? ""
            let answer = try await desk.post("/api/engagements/\(other)/run")
            #expect(answer.status == 200)
            #expect(Set(answer.body.objectValue?.keys.map(\.self) ?? []) == ["runId", "status", "message"])
            #expect(answer.body["status"] == "running" && answer.body["message"] == "Engagement started")
            #expect(try await desk.world.count("kind = 'crew.start'") == 1)
            let detail = try await desk.get("/api/engagements/\(other)")
            #expect(detail.body["status"] == "running")
            #expect(detail.body["runs"]?.arrayValue?.first?["id"] == answer.body["runId"])
        }
    }

    @Test("E-38, E-42, E-44: status and logs of an engagement that never ran")
    func neverRun() async throws {
        try await desk { desk in
            let id = try await desk.post("/api/engagements", good).body["id"]?.stringValue ?? ""
            let status = try await desk.get("/api/engagements/\(id)/status")
            #expect(
                status.body == [
                    "engagementId": .string(id), "status": "pending", "estimated_cost": 0, "steps": 0, "error": nil,
                    "budget": 5,
                ]
            )
            let logs = try await desk.get("/api/engagements/\(id)/logs")
            #expect(logs.body == ["logs": [], "total": 0, "status": "pending"])
            for offset in ["-1", "x", "1.5", ""] {
                let bad = try await desk.get("/api/engagements/\(id)/logs?offset=\(offset)")
                #expect(
                    bad.status == 400 && bad.body == ["error": "offset must be a non-negative integer"],
                    "\(offset)"
                )
            }
        }
    }

    @Test("X-6, E-17: another tenant's id answers byte for byte like an unknown one, on every route")
    func isolation() async throws {
        try await desk { desk in
            let id = try await desk.post("/api/engagements", good).body["id"]?.stringValue ?? ""
            let accounts = desk.world.stores.accounts
            let stranger = try await accounts.createTenant(name: "S", plan: .enterprise)
            let key = try #require(
                try await accounts.createKey(tenant: stranger.id, name: "k", scopes: [.readWrite], mode: .live)
            )
            for (method, rest) in [(HTTPRequest.Method.get, ""), (.post, "/run"), (.get, "/status"), (.get, "/logs")] {
                let foreign = try await desk.call(method, "/api/engagements/\(id)\(rest)", nil, key.plaintext)
                let unknown = try await desk.call(method, "/api/engagements/cunknown\(rest)", nil, key.plaintext)
                #expect(foreign.status == 404 && foreign.body == ["error": "Not found"])
                #expect(foreign.status == unknown.status && foreign.body == unknown.body)
            }
            #expect(try await desk.call(.get, "/api/engagements", nil, key.plaintext).body == [])
        }
    }

    @Test("S-11: health tells workers, queues, Postgres and Redis")
    func health() async throws {
        try await desk { desk in
            try await desk.world.agreed()
            let answer = try await desk.call(.get, "/api/health", nil, nil)
            #expect(answer.status == 200)
            #expect(answer.body["status"] == "ok" && answer.body["redis"] == true && answer.body["postgres"] == true)
            #expect(answer.body["queues"]?["crew"]?["ready"] == 0)
        }
    }
}
