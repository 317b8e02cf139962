import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

/// Ring 3: data collection from the buyer's task to the approved recording, with real processes.
@Suite("Data collection", .serialized)
struct CollectionTests {
    @Test("T-29, S-45 to S-47: a task is made, funded by command, recorded, announced, approved, and is then completed")
    func collected() async throws {
        let receiver = try await WebhookReceiver.start()
        defer { receiver.stop() }
        let files = try await TestStack.shared().folder + "/collected-\(UUID().uuidString)"
        let fleet = try await FleetUnderTest(
            extra: [
                "GC_SECRET_KEY": Data(repeating: 7, count: 32).base64EncodedString(),
                "GC_NET_ALLOW": "127.0.0.2/32", "GC_WEBHOOK_CA_FILE": receiver.certificate,
                "GC_WEBHOOK_SCHEDULE": "0,0,0", "GC_STORAGE_URL": "file://\(files)",
            ]
        )
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("worker"), try fleet.start("scheduler"),
        ]
        let buyer = try await buyer(fleet, port)
        let hook: JSON = ["url": .string("https://127.0.0.2:\(receiver.port)/ok")]
        #expect(try await buyer.call("POST", "/api/v1/webhook-endpoints", hook).status == 201)
        let task = try await openTask(buyer, fleet)
        let submission = try await handIn(task, fleet, port)
        try await eventually(within: .seconds(12), "submission.created at the buyer's endpoint") {
            Self.events(receiver) == ["submission.created"]
        }
        let approved = try await buyer.call("POST", "/api/v1/submissions/\(submission)/approve")
        #expect(approved.status == 200 && approved.body["data"]?["status"] == "approved")
        #expect(try await buyer.call("POST", "/api/v1/submissions/\(submission)/approve").status == 409)
        let done = try await buyer.call("GET", "/api/v1/tasks/\(task)").body["data"]
        #expect(done?["status"] == "completed" && done?["approved_count"] == 1)
        try await eventually(within: .seconds(12), "submission.approved at the buyer's endpoint") {
            Self.events(receiver) == ["submission.created", "submission.approved"]
        }
        try await watch(submission, buyer)
        for process in processes { process.signal(SIGKILL) }
        await fleet.close()
    }

    /// A key of test mode with every scope of the family.
    private func buyer(_ fleet: FleetUnderTest, _ port: Int) async throws -> Caller {
        _ = try await Caller.ready(fleet, port: port)
        let accounts = fleet.world.stores.accounts
        let tenant = try await accounts.createTenant(name: "Buyer", plan: nil)
        let scopes: [Scope] = [.tasksRead, .tasksWrite, .webhooksWrite]
        let key = try await accounts.createKey(tenant: tenant.id, name: "k", scopes: scopes, mode: .test)
        return Caller(port: port, key: try #require(key).plaintext)
    }

    private func openTask(_ buyer: Caller, _ fleet: FleetUnderTest) async throws -> String {
        let draft: JSON = [
            "title": "Record a busy street", "instructions": "Walk any public street for 30 s.", "reward_cents": 250,
            "target_submissions": 1,
        ]
        let made = try await buyer.call("POST", "/api/v1/tasks", draft)
        let task = try #require(made.body["data"]?["id"]?.stringValue, "\(made.body.text)")
        #expect(made.body["data"]?["funding_url"] == .null)
        #expect(try command(fleet, "task", "fund", task, "--amount", "249").status == 1)
        let funded = try command(fleet, "task", "fund", task, "--json")
        #expect(funded.status == 0 && funded.output["status"] == "open" && funded.output["funded_cents"] == 250)
        #expect(try command(fleet, "task", "fund", task).status == 1)
        #expect(try command(fleet, "task", "show", "tsk_none").status == 1)
        #expect(try command(fleet, "task", "show", task, "--json").output["submissions"]?["pending"] == 0)
        let open = try command(fleet, "task", "list", "--status", "open", "--json").output.arrayValue
        #expect(open?.map { $0["id"] } == [.string(task)])
        return task
    }

    /// What a contributor does: logs in, finds the task, uploads, and hands in.
    private func handIn(_ task: String, _ fleet: FleetUnderTest, _ port: Int) async throws -> String {
        let made = try command(fleet, "admin", "contributor", "create", "--email", "c@c.example", "--json")
        #expect(try command(fleet, "admin", "contributor", "create", "--email", "C@c.example").status == 1)
        let base = "http://127.0.0.1:\(port)"
        let credentials: JSON = ["email": "c@c.example", "password": made.output["password"] ?? .null]
        let login = try await send("POST", base + "/api/auth/login", credentials.text)
        let cookie = try #require(login.headers.first(name: "Set-Cookie")?.split(separator: ";").first.map(String.init))
        let offers = try await send("GET", base + "/api/contributor/tasks?mode=test", cookie: cookie).body
        #expect(offers["tasks"]?.arrayValue?.map { $0["id"] } == [.string(task)])
        let path = base + "/api/contributor/tasks/\(task)"
        let announced = #"{"byte_size":\#(Self.recording.utf8.count),"mime_type":"video/mp4"}"#
        let place = try await send("POST", path + "/uploads", announced, cookie: cookie).body
        let key = try #require(place["media_object_key"]?.stringValue, "\(place.text)")
        let draft = JSON.object(["media_object_key": .string(key), "duration_seconds": 31]).text
        #expect(try await send("POST", path + "/submissions", draft, cookie: cookie).status == 400)
        let url = try #require(place["upload_url"]?.stringValue)
        #expect(try await send("PUT", url, Self.recording, type: "video/mp4").status == 200)
        let handedIn = try await send("POST", path + "/submissions", draft, cookie: cookie)
        #expect(handedIn.status == 201 && handedIn.body["byte_size"] == .integer(Self.recording.utf8.count))
        return try #require(handedIn.body["id"]?.stringValue)
    }

    private func watch(_ submission: String, _ buyer: Caller) async throws {
        let shown = try await buyer.call("GET", "/api/v1/submissions/\(submission)").body["data"]
        let url = try #require(shown?["media_url"]?.stringValue)
        let media = try await send("GET", url)
        #expect(media.status == 200 && media.text == Self.recording)
        #expect(media.headers.first(name: "Content-Type") == "video/mp4")
    }

    private static let recording = String(repeating: "not really a video ", count: 5000)

    /// Types of the events that have arrived, the first first, each once.
    private static func events(_ receiver: WebhookReceiver) -> [String] {
        receiver.posts("/ok").compactMap { $0["x-groundtruth-event"] }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let text: String
        var body: JSON { (try? JSON(parsing: Data(text.utf8))) ?? .null }
    }

    private func send(
        _ method: String,
        _ url: String,
        _ body: String? = nil,
        cookie: String? = nil,
        type: String = "application/json"
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        if let cookie { request.headers.add(name: "Cookie", value: cookie) }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
        return Answer(status: Int(response.status.code), headers: response.headers, text: text)
    }

    /// Runs a short command of the binary, and reads what it prints.
    private func command(_ fleet: FleetUnderTest, _ arguments: String...) throws -> (status: Int32, output: JSON) {
        let end = try FleetProcess.run(arguments, fleet.environment)
        return (end.status, (try? JSON(parsing: end.bytes)) ?? .null)
    }
}
