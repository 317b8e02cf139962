import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

/// Pages as attachments, through the API, the queue, a worker and a website on this machine.
@Suite("Attachments from URLs", .serialized)
struct FromURLTests {
    private struct House {
        let fleet: FleetUnderTest
        let caller: Caller
        let site: WebServer
        let folder: String
        var processes: [FleetProcess]
        let engagement: String

        var path: String { "/api/engagements/\(engagement)/attachments/from-url" }

        func post(
            _ body: JSON,
            key: String? = nil,
            once: String? = nil,
            timeout: TimeAmount = .seconds(40)
        ) async throws -> (status: Int, body: JSON, headers: HTTPHeaders) {
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(caller.port)\(path)")
            request.method = .POST
            request.headers.add(name: "Authorization", value: "Bearer \(key ?? caller.key)")
            if let once { request.headers.add(name: "Idempotency-Key", value: once) }
            request.body = .bytes(ByteBuffer(string: body.text))
            let response = try await HTTPClient.shared.execute(request, timeout: timeout)
            let bytes = try await response.body.collect(upTo: 1 << 20)
            let json = (try? JSON(parsing: Data(bytes.readableBytesView))) ?? .null
            return (Int(response.status.code), json, response.headers)
        }

        /// Attachments, and blobs in any state.
        func stored() async throws -> [Int] {
            let counts = try await fleet.world.postgres.query(
                "SELECT (SELECT count(*) FROM attachments), (SELECT count(*) FROM blobs)"
            )
            guard let (attachments, blobs) = try counts.first?.decode(Int.self, Int.self) else { return [] }
            return [attachments, blobs]
        }

        /// The text of the newest attachment.
        func newestText() async throws -> String {
            let found = try await fleet.world.postgres.query(
                "SELECT storage_key FROM attachments ORDER BY created_at DESC, id DESC LIMIT 1"
            )
            let key = try #require(try found.first?.decode(String.self))
            return try await LocalBlobs(folder: folder).withFile(key) { path in
                try String(contentsOfFile: path, encoding: .utf8)
            }
        }

        func close() async throws {
            for process in processes { process.signal(SIGKILL) }
            await fleet.close()
            try await site.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private func house(_ script: @escaping WebServer.Script) async throws -> House {
        let site = try await WebServer.start(script)
        let folder = "/tmp/gc-blobs-\(UUID().uuidString)"
        let fleet = try await FleetUnderTest(
            extra: ["GC_NET_ALLOW": site.address + "/32", "GC_STORAGE_URL": "file://" + folder]
        )
        let port = freePort()
        let processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("worker")]
        let caller = try await Caller.ready(fleet, port: port)
        let draft: JSON = ["name": "Pages", "client": "Test", "brief": "Read pages.", "budget": 5]
        let made = try await caller.call("POST", "/api/engagements", draft)
        let engagement = try #require(made.body["id"]?.stringValue, "\(made.body.text)")
        return House(
            fleet: fleet,
            caller: caller,
            site: site,
            folder: folder,
            processes: processes,
            engagement: engagement
        )
    }

    @Test(
        "A-20 to A-28, SC-20: a page becomes a Markdown attachment; everything else is 400, 403, 404, 413 or 422 and stores nothing"
    )
    func fromURL() async throws {
        let house = try await house { request in
            switch request.path {
            case "/blog/post":
                .html("<title>Blog Post</title><script>x()</script><style>p{}</style><p>Caf&eacute; &amp; more</p>")
            case "/long": .html("<p>" + String(repeating: "ä b ", count: 150_000))
            case "/pdf": .bytes([0x25, 0x50], type: "application/pdf")
            case "/script": .html("<script>x()</script>")
            case "/away": .redirect("http://10.0.0.1/")
            case "/big": .bytes([UInt8](repeating: 0x61, count: (5 << 20) + 1), type: "text/plain")
            default: .status(404)
            }
        }
        let site = house.site
        let made = try await house.post(["url": .string(site.url("/blog/post"))])
        #expect(made.status == 201, "\(made.body.text)")
        let item = made.body["attachment"]
        #expect(item?["filename"] == .string("\(site.address)_blog_post.md"))
        #expect(item?["mimeType"] == "text/markdown")
        #expect(item?["category"] == "reference")
        #expect(item?["summary"] == .string("Fetched from \(site.address): Blog Post"))
        #expect(item?["sourceUrl"] == .string(site.url("/blog/post")))
        let text = try await house.newestText()
        #expect(text.hasPrefix("---\nsource: \(site.url("/blog/post"))\ntitle: \"Blog Post\"\nfetched_at: 2"))
        #expect(text.hasSuffix("content_type: text/html\ntruncated: false\n---\n\nCafé & more\n"))
        let again = try await house.post(["url": .string(site.url("/blog/post")), "category": "data"])
        #expect(again.body["attachment"]?["filename"] == .string("\(site.address)_blog_post_1.md"))
        #expect(again.body["attachment"]?["category"] == "data")
        let long = try await house.post(["url": .string(site.url("/long"))])
        #expect(long.status == 201)
        #expect(try await house.newestText().utf8.count < 512_000 + 500)
        try await refusals(house)
        #expect(try await house.stored() == [3, 3])
        try await sideEffects(house)
        try await onceOnly(house)
        try await answerLost(house)
        try await house.close()
    }

    private func refusals(_ house: House) async throws {
        let site = house.site
        for (body, status) in [
            ([:], 400), (["url": 5], 400), (["url": .null], 400), (["url": "nonsense"], 400),
            (["url": "ftp://example.com/"], 400), (["url": "http://127.0.0.1/"], 400),
            (["url": "http://localhost/"], 400),
            (["url": "http://u:p@example.com/"], 400), (["url": "http://example.com:22/"], 400),
            (["url": .string(site.url("/blog/post")), "category": "secret"], 400),
            (["url": .string(site.url("/away"))], 400),
            (["url": .string(site.url("/404"))], 422), (["url": .string(site.url("/pdf"))], 422),
            (["url": .string(site.url("/script"))], 422), (["url": .string(site.url("/big"))], 422),
        ] as [(JSON, Int)] {
            let reply = try await house.post(body)
            #expect(reply.status == status, "\(body.text) gave \(reply.status) \(reply.body.text)")
            #expect(reply.body["error"]?.stringValue?.isEmpty == false)
        }
        let url: JSON = ["url": .string(site.url("/blog/post"))]
        let tenant = try #require(
            try await house.fleet.world.postgres.query("SELECT tenant_id FROM engagements").first?.decode(
                Tenant.ID.self
            )
        )
        let reader = try await house.fleet.world.stores.accounts.createKey(
            tenant: tenant,
            name: "r",
            scopes: [.readOnly],
            mode: .live
        )
        #expect(try await house.post(url, key: reader?.plaintext).status == 403)
        let gone = try await house.caller.call("POST", "/api/engagements/none/attachments/from-url", url)
        #expect(gone.status == 404)
        #expect(gone.body == ["error": "Engagement not found"])
        let full: SQL = "UPDATE usage_counters SET value = value + \(2 << 30)::bigint WHERE metric = 'storage_bytes'"
        _ = try await house.fleet.world.postgres.query(full)
        #expect(try await house.post(url).status == 413)
        let free: SQL = "UPDATE usage_counters SET value = value - \(2 << 30)::bigint WHERE metric = 'storage_bytes'"
        _ = try await house.fleet.world.postgres.query(free)
    }

    /// The same request with the same key, at once and later, makes one attachment.
    private func onceOnly(_ house: House) async throws {
        let url: JSON = ["url": .string(house.site.url("/blog/post"))]
        async let first = house.post(url, once: "k1")
        async let second = house.post(url, once: "k1")
        let replies = try await [first, second]
        let later = try await house.post(url, once: "k1")
        #expect((replies + [later]).map(\.status) == [201, 201, 201])
        #expect(Set((replies + [later]).map(\.body.text)).count == 1)
        #expect(later.headers.first(name: "Idempotent-Replayed") == "true")
        #expect(try await house.post(["url": .string(house.site.url("/long"))], once: "k1").status == 409)
        #expect(try await house.stored() == [4, 4])
    }

    /// Each page wants the index anew (A-28).
    private func sideEffects(_ house: House) async throws {
        let postgres = house.fleet.world.postgres
        let wanted = try await postgres.query("SELECT wanted FROM index_state").first?.decode(Int.self)
        #expect(wanted == 3)
    }

    /// The page is attached, and then the answer cannot be stored: as if the API had died in between.
    private func answerLost(_ house: House) async throws {
        let postgres = house.fleet.world.postgres
        _ = try await postgres.pipeline([
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''lost''; END'",
            "CREATE TRIGGER lose BEFORE INSERT ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION lose()",
        ])
        let url: JSON = ["url": .string(house.site.url("/blog/post"))]
        #expect(try await house.post(url, once: "k2").status == 500)
        #expect(try await house.stored() == [5, 5])
        _ = try await postgres.query("DROP TRIGGER lose ON idempotency_keys")
        let again = try await house.post(url, once: "k2")
        #expect(again.status == 201, "\(again.body.text)")
        let list = try await house.caller.call("GET", "/api/engagements/\(house.engagement)/attachments")
        #expect(list.body["attachments"]?.arrayValue?.last == again.body["attachment"])
        let later = try await house.post(url, once: "k2")
        #expect(later.body == again.body && later.headers.first(name: "Idempotent-Replayed") == "true")
        #expect(try await house.stored() == [5, 5])
    }

    @Test("A-29: a client that goes away leaves nothing, though its page arrives later")
    func clientGone() async throws {
        let house = try await house { _ in
            var reply = WebServer.Reply.html("<p>late")
            reply.delay = .seconds(3)
            return reply
        }
        let url: JSON = ["url": .string(house.site.url("/"))]
        await #expect(throws: (any Error).self) { try await house.post(url, timeout: .seconds(1)) }
        try await eventually(within: .seconds(10), "the job to be cancelled") {
            try await house.fleet.world.count("kind = 'url.fetch' AND state = 'cancelled'") == 1
        }
        #expect(try await house.stored() == [0, 0])
        #expect(try await house.fleet.world.count("kind = 'url.fetch' AND state <> 'cancelled'") == 0)
        try await house.close()
    }

    @Test(
        "A-29: a worker that is killed in the middle: the request fails in time, and nothing is stored, then or later"
    )
    func workerKilled() async throws {
        var house = try await house { _ in
            var reply = WebServer.Reply.html("<p>late")
            reply.delay = .seconds(60)
            return reply
        }
        let request = house
        async let reply = request.post(["url": .string(request.site.url("/"))])
        try await eventually(within: .seconds(10), "the page to be asked for") { !request.site.requests.isEmpty }
        house.processes[1].signal(SIGKILL)
        let status = try await reply.status
        #expect([500, 503].contains(status), "\(status)")
        #expect(try await house.stored() == [0, 0])
        house.processes.append(try house.fleet.start("worker"))
        house.processes.append(try house.fleet.start("scheduler"))
        try await eventually(within: .seconds(20), "the job to be cancelled") {
            try await house.fleet.world.count("kind = 'url.fetch' AND state = 'cancelled'") == 1
        }
        #expect(try await house.stored() == [0, 0])
        try await house.close()
    }
}
