import Domain
import Foundation
import Outside
import Synchronization
import TestSupport
import Testing

/// The rows of the SSRF table through the whole path: parsing, resolving, checking, connecting. Nothing but a loopback
/// canary is ever reached.
@Suite("Pages: which URLs are asked for")
struct PageTableTests {
    enum Expectation: Sendable {
        case refused
        /// A request goes to the canary, whose address the name has.
        case reached
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let url: String
        let expected: Expectation
        var testDescription: String { url.debugDescription }

        init(_ url: String, _ expected: Expectation = .refused) {
            self.url = url
            self.expected = expected
        }
    }

    static let rows: [Row] = [
        Row("http://127.0.0.1/"), Row("http://10.0.0.1/"), Row("http://172.16.0.1/"), Row("http://172.31.255.255/"),
        Row("http://192.168.1.1/"), Row("http://169.254.169.254/latest/meta-data/"),
        Row("http://100.100.100.200/latest/meta-data"), Row("http://192.0.0.192/opc/v1/"), Row("http://0.0.0.0:6379/"),
        Row("http://198.18.0.1/"), Row("http://224.0.0.1/"), Row("http://255.255.255.255/"), Row("http://203.0.113.7/"),
        Row("http://2130706433/"), Row("http://0x7f000001/"), Row("http://0177.0.0.1/"), Row("http://127.1/"),
        Row("http://127.0.0.1./"), Row("http://127\u{3002}0\u{3002}0\u{3002}1/"), Row("http://%31%32%37.0.0.1/"),
        Row("http://[::1]/"), Row("http://[::]/"), Row("http://[::ffff:127.0.0.1]/"), Row("http://[::ffff:7f00:1]/"),
        Row("http://[64:ff9b::7f00:1]/"), Row("http://[2002:7f00:1::]/"),
        Row("http://[fd00:ec2::254]/latest/meta-data/"), Row("http://[fe80::1]/"), Row("http://[fe80::1%25eth0]/"),
        Row("http://[ff02::1]/"), Row("http://[2001:db8::1]/"), Row("http://example.com@127.0.0.1/"),
        Row("http://example.com:80@169.254.169.254:80/"), Row("http://127.0.0.1\t.example.com/"),
        Row("http://canary.test:8080#@127.0.0.1/", .reached), Row("file:///etc/passwd"),
        Row("gopher://127.0.0.1:6379/_FLUSHALL"), Row("http://example.com:6379/"),
        Row("http://canary.test:8080/%0d%0aX-Inject:1", .reached), Row("http://localhost/"), Row("http://LOCALHOST./"),
        Row("http://redis:80/"), Row("http://a.evil.test/"), Row("http://aaaa.evil.test/"),
        Row("http://mixed.evil.test/"), Row("http://redirect.evil.test:8080/private"),
        // More ways to say the same.
        Row("http://canary.test:8080\\@127.0.0.1/"), Row("http://127.0.0.1:80\\@example.com/"), Row("http:///etc/"),
        Row("http://[::127.0.0.1]/"), Row("http://168.63.129.16/"), Row("http://[2001:4860::5efe:7f00:1]/"),
        Row("http://[fe80::5efe:808:808]/"), Row("http://①②⑦.0.0.1/"), Row("http://a.0x7f/"),
        Row("http://017700000001/"),
        Row("http://printer.local/"), Row("http://a.b.internal/"), Row("http://x.localhost/"), Row("http://[::1/"),
        Row("http://example.com:0/"), Row("http://example.com:99999/"), Row("http://exa mple.com/"), Row("nonsense"),
        Row(""), Row("http://"), Row("//example.com/"), Row("http://a..b/"), Row("http://example.com\r\nHost: x/"),
        // And those that must pass.
        Row("http://CANARY.test.:8080/", .reached), Row("http://a_b.canary.test:8080/x?y=z@w#v", .reached),
    ]

    @Test("Every row of the table, through the code that fetches", arguments: rows)
    func row(row: Row) async throws {
        let canary = try await WebServer.start { request in
            request.path == "/private" ? .redirect("http://169.254.169.254/") : .html("<p>reached</p>")
        }
        let pages = PageClient(
            GuardedClient(
                AddressGuard(allowing: [canary.range]),
                limit: 5,
                resolver: Resolver { name in
                    switch name {
                    case "a.evil.test": ["127.0.0.1"]
                    case "aaaa.evil.test": ["::ffff:10.0.0.1"]
                    case "mixed.evil.test": [canary.address, "10.0.0.1"]
                    default: [canary.address]
                    }
                }
            ),
            reader: Readable()
        )
        switch row.expected {
        case .reached: #expect(try await pages.fetch(row.url).text.contains("reached"))
        case .refused:
            let fault = await #expect(throws: FetchFault.self) { try await pages.fetch(row.url) }
            guard case .refused(let reason) = fault else {
                Issue.record("\(row.url) gave \(String(describing: fault))")
                break
            }
            #expect(!reason.contains(canary.address))
            #expect(canary.requests.allSatisfy { $0.path == "/private" })
        }
        try await canary.stop()
    }

    @Test("A name is resolved once for each hop, and the connection goes where the first answer led")
    func rebinding() async throws {
        let canary = try await WebServer.start { $0.path == "/hop" ? .redirect("/end") : .html("<p>here</p>") }
        let asked = Mutex(0)
        let client = GuardedClient(
            AddressGuard(allowing: [canary.range]),
            resolver: Resolver { _ in
                asked.withLock { count in
                    count += 1
                    return count == 1 ? [canary.address] : ["127.0.0.1"]
                }
            }
        )
        let pages = PageClient(client, reader: Readable())
        #expect(try await pages.fetch("http://rebind.evil.test:8080/").text.contains("here"))
        #expect(asked.withLock { $0 } == 1)
        #expect(canary.requests.map(\.host) == ["rebind.evil.test:8080"])
        // From now on the name leads inside.
        let fault = await #expect(throws: FetchFault.self) { try await pages.fetch("http://rebind.evil.test:8080/hop") }
        if case .refused = fault {} else { Issue.record("\(String(describing: fault))") }
        #expect(canary.requests.count == 1)
        try await canary.stop()
    }

    @Test("A webhook's URL is https only, and its redirect is an answer like any other")
    func webhook() async throws {
        let canary = try await WebServer.start { _ in .redirect("http://169.254.169.254/") }
        let client = GuardedClient(AddressGuard(allowing: [canary.range]), limit: 5)
        let url = "http://\(canary.address):8080/"
        let post = WebhookPost(url: url, secrets: [], event: "e", type: "t", delivery: "d", body: [])
        #expect(await client.post(post) == .failed("url must use https"))
        #expect(canary.requests.isEmpty)
        try await canary.stop()
    }
}

/// Says that every page is its own text.
struct Readable: PageReader {
    func read(_ source: PageSource, until deadline: ContinuousClock.Instant) -> PageText? {
        PageText(title: nil, text: String(decoding: source.bytes, as: UTF8.self), truncated: false)
    }
}
