import Domain
import Outside
import Synchronization
import TestSupport
import Testing

/// The table of URLs that a guard must know, through the whole path: parsing, resolving, checking, connecting. The numbers
/// are those of the table in the security plan. Nothing but a loopback canary is ever reached.
@Suite("Pages: which URLs are asked for")
struct PageTableTests {
    enum Expectation: Sendable, Equatable {
        /// By its text or by an answer of the resolver, and nothing was connected to: what the refusal says.
        case refused(Reason)
        /// The same for a post; nothing of it was sent but to the canary.
        case postRefused(String)
        /// A request goes to the canary, whose address the name has, and to no other path than this.
        case reached(path: String)
        /// This name alone is looked up, and the connection goes to its address, at a port where nobody listens.
        case connected(name: String)
    }

    enum Reason: String, Sendable {
        case address = "must lead to a public address"
        case host = "must name its host plainly"
        case syntax = "must be an absolute URL"
        case credentials = "must hold no credentials"
        case scheme = "must use http or https"
        case port = "must use port 80"
    }

    struct Row: Sendable, CustomTestStringConvertible {
        /// Nil for rows of our own.
        let number: Int?
        let url: String
        let expected: Expectation
        var testDescription: String { "\(number.map { "row \($0)" } ?? "more"): \(url.debugDescription)" }
    }

    private static func refused(_ number: Int?, _ url: String, as reason: Reason) -> Row {
        Row(number: number, url: url, expected: .refused(reason))
    }

    static let rows: [Row] = [
        refused(1, "http://127.0.0.1/", as: .address), refused(3, "http://10.0.0.1/", as: .address),
        refused(4, "http://172.16.0.1/", as: .address), refused(5, "http://172.31.255.255/", as: .address),
        refused(6, "http://192.168.1.1/", as: .address),
        refused(7, "http://169.254.169.254/latest/meta-data/", as: .address),
        refused(9, "http://100.100.100.200/latest/meta-data", as: .address),
        refused(11, "http://192.0.0.192/opc/v1/", as: .address),
        refused(12, "http://0.0.0.0:6379/", as: .address), refused(14, "http://198.18.0.1/", as: .address),
        refused(15, "http://224.0.0.1/", as: .address), refused(17, "http://255.255.255.255/", as: .address),
        refused(18, "http://203.0.113.7/", as: .address), refused(19, "http://2130706433/", as: .host),
        refused(20, "http://0x7f000001/", as: .host), refused(21, "http://0177.0.0.1/", as: .host),
        refused(22, "http://127.1/", as: .host),
        refused(24, "http://127.0.0.1./", as: .address),
        refused(27, "http://127\u{3002}0\u{3002}0\u{3002}1/", as: .host),
        refused(28, "http://%31%32%37.0.0.1/", as: .host), refused(29, "http://[::1]/", as: .address),
        refused(30, "http://[::]/", as: .address), refused(31, "http://[::ffff:127.0.0.1]/", as: .address),
        refused(32, "http://[::ffff:7f00:1]/", as: .address), refused(35, "http://[64:ff9b::7f00:1]/", as: .address),
        refused(37, "http://[2002:7f00:1::]/", as: .address),
        refused(39, "http://[fd00:ec2::254]/latest/meta-data/", as: .address),
        refused(40, "http://[fe80::1]/", as: .address), refused(41, "http://[fe80::1%25eth0]/", as: .host),
        refused(43, "http://[ff02::1]/", as: .address), refused(44, "http://[2001:db8::1]/", as: .address),
        refused(47, "http://example.com@127.0.0.1/", as: .credentials),
        refused(49, "http://example.com:80@169.254.169.254:80/", as: .credentials),
        refused(50, "http://127.0.0.1\t.example.com/", as: .syntax),
        Row(number: 51, url: "http://example.com#@127.0.0.1/", expected: .connected(name: "example.com")),
        refused(52, "file:///etc/passwd", as: .scheme), refused(53, "gopher://127.0.0.1:6379/_FLUSHALL", as: .scheme),
        refused(54, "http://example.com:6379/", as: .port),
        Row(number: 56, url: "http://example.com:8080/%0d%0aX-Inject:1", expected: .reached(path: "/%0d%0aX-Inject:1")),
        refused(57, "http://localhost/", as: .address), refused(58, "http://LOCALHOST./", as: .address),
        refused(60, "http://redis:80/", as: .address), refused(61, "http://a.evil.test/", as: .address),
        refused(62, "http://aaaa.evil.test/", as: .address),
        Row(number: 64, url: "http://rebind.evil.test:8080/first", expected: .reached(path: "/first")),
        refused(65, "http://redir.evil.test:8080/private", as: .address),
        Row(number: 67, url: "https://hook.evil.test:8080/", expected: .postRefused("307")),
        Row(number: 68, url: "http://hook.evil.test:8080/", expected: .postRefused("url must use https")),
        // More ways to say the same.
        refused(nil, "http://canary.test:8080\\@127.0.0.1/", as: .syntax),
        refused(nil, "http://127.0.0.1:80\\@example.com/", as: .syntax),
        refused(nil, "http:///etc/", as: .syntax), refused(nil, "http://[::127.0.0.1]/", as: .address),
        refused(nil, "http://168.63.129.16/", as: .address),
        refused(nil, "http://[2001:4860::5efe:7f00:1]/", as: .address),
        refused(nil, "http://[fe80::5efe:808:808]/", as: .address),
        refused(nil, "http://①②⑦.0.0.1/", as: .host), refused(nil, "http://a.0x7f/", as: .host),
        refused(nil, "http://017700000001/", as: .host),
        refused(nil, "http://printer.local/", as: .address), refused(nil, "http://a.b.internal/", as: .address),
        refused(nil, "http://x.localhost/", as: .address), refused(nil, "http://mixed.evil.test/", as: .address),
        refused(nil, "http://own.evil.test/", as: .address), refused(nil, "http://8.8.4.4/", as: .address),
        refused(nil, "http://[::1/", as: .syntax),
        refused(nil, "http://example.com:0/", as: .port), refused(nil, "http://example.com:99999/", as: .port),
        refused(nil, "http://exa mple.com/", as: .syntax), refused(nil, "nonsense", as: .syntax),
        refused(nil, "", as: .syntax), refused(nil, "http://", as: .syntax),
        refused(nil, "//example.com/", as: .syntax), refused(nil, "http://a..b/", as: .host),
        refused(nil, "http://example.com\r\nHost: x/", as: .syntax),
        // And those that must pass.
        Row(number: nil, url: "http://CANARY.test.:8080/", expected: .reached(path: "/")),
        Row(number: nil, url: "http://a_b.canary.test:8080/x?y=z@w#v", expected: .reached(path: "/x?y=z@w")),
    ]

    @Test("A-25, SS-01: every row of the table, through the code that fetches and posts", arguments: rows)
    func row(row: Row) async throws {
        let isTLS = row.url.hasPrefix("https:")
        let certificate = isTLS ? try TestCertificate(of: "hook.evil.test") : nil
        defer { certificate?.remove() }
        let canary = try await WebServer.start(tls: certificate?.configuration()) { request in
            switch request.path {
            case "/private": .redirect("http://169.254.169.254/")
            case _ where isTLS: .redirect("http://169.254.169.254/", status: 307)
            default: .html("<p>reached</p>")
            }
        }
        let names = Names(canary: canary.address)
        let own = OwnAddresses { Set([NetworkAddress("8.8.4.4")].compactMap(\.self)) }
        let client = GuardedClient(
            AddressGuard(allowing: [canary.range], own: own),
            authorities: certificate?.path,
            limit: 5,
            resolver: Resolver { names.addresses(of: $0) }
        )
        try await check(row, client, canary, names)
        try await canary.stop()
    }

    private func check(_ row: Row, _ client: GuardedClient, _ canary: WebServer, _ names: Names) async throws {
        let pages = PageClient(client, reader: Readable())
        switch row.expected {
        case .reached(let path):
            #expect(try await pages.fetch(row.url).text.contains("reached"))
            #expect(canary.requests.map(\.path) == [path])
            #expect(canary.requests.first?.headers["x-inject"] == nil)
            #expect(names.asked.count == 1)
        case .connected(let name):
            let fault = await #expect(throws: FetchFault.self) { try await pages.fetch(row.url) }
            guard case .failed = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
            #expect(names.asked == [name])
            #expect(canary.requests.isEmpty)
        case .refused(let reason):
            let fault = await #expect(throws: FetchFault.self) { try await pages.fetch(row.url) }
            guard case .refused(let said) = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
            #expect(said.contains(reason.rawValue), "\(said)")
            #expect(!said.contains(canary.address))
            #expect(canary.requests.allSatisfy { $0.path == "/private" })
        case .postRefused(let words):
            let post = WebhookPost(url: row.url, secrets: [], event: "e", type: "t", delivery: "d", body: [])
            let reply = await client.post(post)
            #expect(String(describing: reply).contains(words), "\(reply)")
            // A redirect is an answer like any other: one request, and none to where it leads.
            #expect(canary.requests.count == (row.url.hasPrefix("https") ? 1 : 0))
        }
    }

    @Test("The table has all 48 rows, each once")
    func complete() {
        let numbers = Self.rows.compactMap(\.number)
        #expect(numbers.count == 48 && Set(numbers).count == 48)
    }

    @Test(
        "What is public passes, up to the edges of the ranges",
        arguments: [
            "https://example.com/", "http://1.1.1.1/", "http://[2606:4700:4700::1111]/",
            "https://xn--bcher-kva.example/", "http://example.com:8080/a?b=c@d", "https://EXAMPLE.com./",
            "https://a_b.example.org/x#y", "http://192.0.1.1/", "http://172.32.0.1/", "http://100.128.0.1/",
            "http://11.0.0.1/",
        ]
    )
    func passes(url: String) throws {
        _ = try GuardedURL(url, for: .page, guard: AddressGuard(own: OwnAddresses { [] }))
    }

    /// What the table's names have for addresses, and which of them were asked for.
    private final class Names: Sendable {
        private let canary: String
        private let names = Mutex<[String]>([])

        init(canary: String) { self.canary = canary }

        var asked: [String] { names.withLock { $0 } }

        func addresses(of name: String) -> [String] {
            let count = names.withLock { names in
                names.append(name)
                return names.count { $0 == name }
            }
            return switch name {
            case "a.evil.test": ["127.0.0.1"]
            case "aaaa.evil.test": ["::ffff:10.0.0.1"]
            case "mixed.evil.test": [canary, "10.0.0.1"]
            case "own.evil.test": ["8.8.4.4"]
            // Whoever asks a second time is led inside.
            case "rebind.evil.test" where count > 1: ["127.0.0.1"]
            default: [canary]
            }
        }
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
}

/// Says that every page is its own text.
struct Readable: PageReader {
    func read(_ source: PageSource, until deadline: ContinuousClock.Instant) -> PageText? {
        PageText(title: nil, text: String(decoding: source.bytes, as: UTF8.self), truncated: false)
    }
}
