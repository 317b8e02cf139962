import Documents
import Domain
import Foundation
import NIOCore
import NIOSSL
import Outside
import TestSupport
import Testing

@Suite("Fetching pages")
struct PageClientTests {
    /// A client that may reach these servers, by their addresses and by any name.
    private func pages(_ servers: WebServer..., limit: Int = 40, authorities: String? = nil) -> PageClient {
        let address = servers.first?.address ?? ""
        let names = Dictionary(servers.enumerated().map { ("s\($0.offset).test", $0.element.address) }) { a, _ in a }
        let client = GuardedClient(
            AddressGuard(allowing: servers.map(\.range)),
            authorities: authorities,
            limit: limit,
            resolver: Resolver { names[$0].map { [$0] } ?? ($0 == "nowhere.test" ? [] : [address]) }
        )
        return PageClient(client, reader: WebPageReader())
    }

    private func failure(_ pages: PageClient, _ url: String) async -> FetchFault? {
        await #expect(throws: FetchFault.self) { try await pages.fetch(url) }
    }

    @Test("A-21, A-23: a page becomes text, with its title and the address it was found at")
    func page() async throws {
        let server = try await WebServer.start { request in
            request.path == "/" ? .redirect("/deep/er?x=1") : .html("<title>T</title><p>See <a href=b>b</a>")
        }
        let page = try await pages(server).fetch(server.url("/"))
        #expect(page.title == "T")
        #expect(page.text == "See b (\(server.url("/deep/b")))")
        #expect(page.contentType == "text/html")
        #expect(page.finalURL == server.url("/deep/er?x=1"))
        #expect(!page.truncated)
        #expect(server.requests.last?.headers["user-agent"] == "Groundcrew-Fetch/1")
        #expect(server.requests.last?.headers["cookie"] == nil)
        try await server.stop()
    }

    @Test("What is escaped in a path goes out as it came")
    func escapes() async throws {
        let server = try await WebServer.start { _ in .html("<p>x") }
        for path in ["/%0d%0aX-Inject:1", "/a%2Fb?q=%26&r=a+b", "/ä/%zz|x", "/a;b=(c)!$'*,~?x=[1]"] {
            _ = try await pages(server).fetch(server.url(path))
        }
        let sent = server.requests.map(\.path)
        #expect(
            sent == ["/%0d%0aX-Inject:1", "/a%2Fb?q=%26&r=a+b", "/%C3%A4/%25zz%7Cx", "/a;b=(c)!$'*,~?x=%5B1%5D"]
        )
        #expect(server.requests.allSatisfy { $0.headers["x-inject"] == nil })
        try await server.stop()
    }

    // MARK: Redirects

    @Test("A-27: five redirects are followed, a sixth is not", arguments: [5, 6])
    func redirects(count: Int) async throws {
        let server = try await WebServer.start { request in
            let left = Int(request.path.dropFirst()) ?? 0
            return left == 0 ? .html("<p>end") : .redirect("\(left - 1)", status: [301, 302, 303, 307, 308][left % 5])
        }
        if count == 5 {
            #expect(try await pages(server).fetch(server.url("/5")).text == "end")
        } else {
            #expect(await failure(pages(server), server.url("/6")) == .failed("the url redirects more than 5 times"))
        }
        try await server.stop()
    }

    @Test("A-25: a redirect into a private network is refused at whatever hop, and never asked for", arguments: 1...5)
    func privateHop(hop: Int) async throws {
        let secret = try await WebServer.start { _ in .html("<p>secret") }
        let targets = [
            "http://169.254.169.254/latest", "http://\(secret.address):8080/", "//127.0.0.1/", "http://[::1]/",
            "http://inner.test:8080/", "http://2130706433/", "http://user@s0.test/", "ftp://s0.test/",
            "http://s0.test:22/",
        ]
        for target in targets {
            let server = try await WebServer.start { request in
                let left = Int(request.path.dropFirst()) ?? 0
                return .redirect(left > 1 ? "/\(left - 1)" : target)
            }
            let guarded = GuardedClient(
                AddressGuard(allowing: [server.range]),
                resolver: Resolver { $0 == "inner.test" ? [server.address, "10.0.0.1"] : [server.address] }
            )
            let fault = await failure(PageClient(guarded, reader: WebPageReader()), server.url("/\(hop)"))
            guard case .refused = fault else {
                Issue.record("\(target) gave \(String(describing: fault))")
                continue
            }
            try await server.stop()
        }
        #expect(secret.requests.isEmpty)
        try await secret.stop()
    }

    @Test(
        "Redirects that lead nowhere fail",
        arguments: ["", "http://", "ht tp://x", "http://nowhere.test:8080/", "loop"]
    )
    func nowhere(location: String) async throws {
        let server = try await WebServer.start { _ in
            location.isEmpty ? WebServer.Reply(status: 302, headers: [("Content-Length", "0")]) : .redirect(location)
        }
        guard case .failed = await failure(pages(server), server.url("/")) else {
            Issue.record("\(location) was not a failure")
            return
        }
        try await server.stop()
    }

    // MARK: What is no page

    @Test("A-27: every status that is no success fails", arguments: [400, 401, 404, 410, 429, 500, 503, 304])
    func status(status: Int) async throws {
        let server = try await WebServer.start { _ in .status(status) }
        #expect(await failure(pages(server), server.url("/")) == .failed("the server answered \(status)"))
        try await server.stop()
    }

    @Test(
        "A-27: types that hold no text fail",
        arguments: ["application/pdf", "image/png", "application/octet-stream", "text/event-stream", nil]
    )
    func type(type: String?) async throws {
        let server = try await WebServer.start { _ in .bytes(Array("text".utf8), type: type) }
        guard case .failed(let reason) = await failure(pages(server), server.url("/")) else { return }
        #expect(reason.contains("the page is of"))
        try await server.stop()
    }

    @Test(
        "Text of every other kind is taken as it is",
        arguments: [
            "text/plain", "TEXT/MARKDOWN; charset=utf-8", "text/csv", "application/json", "text/xml",
            "application/yaml",
            "application/rss+xml", "application/ld+json",
        ]
    )
    func texts(type: String) async throws {
        let server = try await WebServer.start { _ in .bytes(Array("a <b>, ä".utf8), type: type) }
        #expect(try await pages(server).fetch(server.url("/")).text == "a <b>, ä")
        try await server.stop()
    }

    @Test(
        "A-27: a page without text fails",
        arguments: ["", "<script>x</script>", "<p>&nbsp;</p>", "<div hidden>x</div>"]
    )
    func empty(html: String) async throws {
        let server = try await WebServer.start { _ in .html(html) }
        let fault = await failure(pages(server), server.url("/"))
        #expect(fault == .failed("the page has no text that can be extracted"))
        try await server.stop()
    }

    @Test("The character set of the header is heeded")
    func charset() async throws {
        let server = try await WebServer.start { _ in
            .bytes([0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2], type: "text/html; Charset=\"Windows-1251\"")
        }
        #expect(try await pages(server).fetch(server.url("/")).text == "Привет")
        try await server.stop()
    }

    // MARK: Size and time

    @Test("A-26: 5 MB are taken, one byte more is not, however it is sent", arguments: [false, true])
    func size(announced: Bool) async throws {
        let server = try await WebServer.start { request in
            let count = (5 << 20) + (request.path == "/more" ? 1 : 0)
            var reply = WebServer.Reply(headers: [("Content-Type", "text/plain")])
            if announced { reply.headers.append(("Content-Length", "\(count)")) }
            reply.pieces = [
                [UInt8](repeating: 0x61, count: count / 2), [UInt8](repeating: 0x62, count: count - count / 2),
            ]
            return reply
        }
        let page = try await pages(server).fetch(server.url("/"))
        #expect(page.truncated)
        #expect(page.text.utf8.count == 512_000)
        #expect(await failure(pages(server), server.url("/more")) == .failed("the page is larger than 5 MB"))
        try await server.stop()
    }

    @Test("A-26: packed pages are unpacked, up to 5 MB, and a bomb is not", arguments: ["gzip", "deflate"])
    func packed(encoding: String) async throws {
        let page = try Self.pack("b'<p>hello '*1000", encoding)
        let bomb = try Self.pack("bytes(200<<20)", encoding)
        #expect(bomb.count < 1 << 20)
        let server = try await WebServer.start { request in
            var reply = WebServer.Reply(headers: [("Content-Type", "text/html"), ("Content-Encoding", encoding)])
            reply.pieces = [
                request.path == "/bomb" ? bomb : request.path == "/broken" ? Array(page.reversed()) : page
            ]
            return reply
        }
        #expect(try await pages(server).fetch(server.url("/")).text.hasPrefix("hello"))
        for path in ["/bomb", "/broken"] {
            let began = ContinuousClock.now
            guard case .failed = await failure(pages(server), server.url(path)) else { continue }
            #expect(ContinuousClock.now - began < .seconds(8))
        }
        try await server.stop()
    }

    @Test("A packing that we did not ask for fails")
    func otherPacking() async throws {
        let server = try await WebServer.start { _ in
            WebServer.Reply(headers: [("Content-Type", "text/html"), ("Content-Encoding", "br")], pieces: [[1, 2]])
        }
        guard case .failed = await failure(pages(server), server.url("/")) else { return }
        try await server.stop()
    }

    @Test("A-22: slow heads, dripping bodies and silent name servers end with the time limit")
    func slow() async throws {
        let server = try await WebServer.start { request in
            var reply = WebServer.Reply.html("<p>late")
            if request.path == "/head" { reply.delay = .seconds(30) }
            if request.path == "/drip" {
                reply.pieces = Array(repeating: Array("<p>drip".utf8), count: 100)
                reply.pause = .milliseconds(300)
            }
            return reply
        }
        let guarded = GuardedClient(
            AddressGuard(allowing: [server.range]),
            limit: 2,
            resolver: Resolver { name in
                // A name server that says nothing, as a blocking resolver meets it: the fault, not a wait of the test.
                if name == "silent.test" { usleep(4_000_000) }
                return [server.address]
            }
        )
        let pages = PageClient(guarded, reader: WebPageReader())
        for url in [server.url("/head"), server.url("/drip"), "http://silent.test:8080/"] {
            let began = ContinuousClock.now
            guard case .failed = await failure(pages, url) else { continue }
            let took = ContinuousClock.now - began
            #expect(took > .seconds(1.5) && took < .seconds(60), "\(url) took \(took)")
        }
        try await server.stop()
    }

    @Test("A connection that breaks off, and one that nobody answers, fail in words that name no address")
    func broken() async throws {
        let server = try await WebServer.start { _ in
            var reply = WebServer.Reply(headers: [("Content-Type", "text/html"), ("Content-Length", "100")])
            reply.pieces = [Array("<p>half".utf8)]
            reply.breaksOff = true
            return reply
        }
        guard case .failed(let reason) = await failure(pages(server), "http://s0.test:8080/") else { return }
        #expect(!reason.contains(server.address))
        let client = pages(server)
        try await server.stop()
        guard case .failed(let refused) = await failure(client, "http://s0.test:8080/") else { return }
        #expect(!refused.contains(server.address))
        #expect(
            await failure(client, "http://nowhere.test:8080/") == .failed("the host name of the url has no address")
        )
    }

    // MARK: TLS

    @Test("TLS is checked: an unknown authority fails, so does another name, and the right one passes")
    func tls() async throws {
        let made = try TestCertificate(of: "right.test")
        defer { made.remove() }
        let (certificate, configuration) = (made.path, try made.configuration())
        let server = try await WebServer.start(tls: configuration) { request in
            request.path == "/down" ? .redirect("http://right.test:8080/") : .html("<p>safe")
        }
        #expect(try await pages(server, authorities: certificate).fetch("https://right.test:8080/").text == "safe")
        for (client, url) in [
            (pages(server), "https://right.test:8080/"),
            (pages(server, authorities: certificate), "https://wrong.test:8080/"),
        ] {
            guard case .failed(let reason) = await failure(client, url) else { continue }
            #expect(reason.contains("TLS"), "\(reason)")
        }
        let down = await failure(pages(server, authorities: certificate), "https://right.test:8080/down")
        #expect(down == .failed("the url redirects from https to http"))
        try await server.stop()
    }

    // MARK: Help

    /// Bytes of a Python expression, packed.
    private static func pack(_ expression: String, _ encoding: String) throws -> [UInt8] {
        let packer = encoding == "gzip" ? "gzip.compress" : "zlib.compress"
        let script = "import gzip,zlib,sys;sys.stdout.buffer.write(\(packer)(\(expression)))"
        return Array(try ChildProcess.run("python3", ["-c", script]).bytes)
    }
}
