import AsyncHTTPClient
package import Domain
import NIOCore
private import NIOHTTP1
private import NIOPosix

/// Fetches pages for tenants, redirect by redirect, and has them turned into text (contract A-20…A-29, decision D-47).
package struct PageClient: PageFetcher {
    private let client: GuardedClient
    private let reader: any PageReader

    /// - Parameter client: its limit is that of a page with all its redirects, name look-ups and bytes.
    package init(_ client: GuardedClient, reader: any PageReader) {
        self.client = client
        self.reader = reader
    }

    private static let redirectLimit = 5
    /// Of a body, after unpacking.
    private static let byteLimit = 5 << 20

    /// Races the clock: the HTTP library's own deadline ends with the head of an answer.
    package func fetch(_ text: String) async throws -> FetchedPage {
        let limit = client.limit
        return try await withThrowingTaskGroup(of: FetchedPage.self) { group in
            group.addTask { try await walk(text) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw FetchFault.failed("no complete answer within \(limit.components.seconds) seconds")
            }
            defer { group.cancelAll() }
            guard let page = try await group.next() else { throw CancellationError() }
            return page
        }
    }

    private func walk(_ text: String) async throws -> FetchedPage {
        let clock = ContinuousClock.now + client.limit
        let deadline = NIODeadline.now() + .nanoseconds(client.limit.nanoseconds)
        var url: GuardedURL
        do {
            url = try GuardedURL(text, for: .page, guard: client.addresses)
        } catch {
            throw FetchFault.refused(error.description)
        }
        for _ in 0...Self.redirectLimit {
            switch try await ask(url, deadline) {
            case .page(let source): return try await read(source, until: clock)
            case .moved(let location): url = try follow(location, from: url)
            }
        }
        throw FetchFault.failed("the url redirects more than \(Self.redirectLimit) times")
    }

    // MARK: Redirects

    private func follow(_ location: String, from url: GuardedURL) throws(FetchFault) -> GuardedURL {
        let next: GuardedURL
        do {
            next = try url.following(location, guard: client.addresses)
        } catch  where error.reason == .syntax {
            throw .failed("the server redirects to something that is no URL")
        } catch {
            throw .refused("the url redirects: \(error.description)")
        }
        guard url.parts.scheme == "http" || next.parts.scheme == "https" else {
            throw .failed("the url redirects from https to http")
        }
        return next
    }

    // MARK: One exchange

    private enum Answer: Sendable {
        case page(PageSource)
        case moved(String)
    }

    private func ask(_ url: GuardedURL, _ deadline: NIODeadline) async throws -> Answer {
        do {
            return try await client.withClient(for: url, until: deadline) { client in
                try await Self.exchange(url, client, deadline)
            }
        } catch let fault as GuardedClient.Fault {
            if case .notPublic = fault { throw FetchFault.refused("url must lead to a public address") }
            throw FetchFault.failed(fault.text)
        }
    }

    private static func exchange(
        _ url: GuardedURL,
        _ client: HTTPClient,
        _ deadline: NIODeadline
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url.parts.canonical)
        request.headers.add(name: "User-Agent", value: "Groundcrew-Fetch/1")
        request.headers.add(name: "Accept-Encoding", value: "gzip, deflate")
        request.headers.add(
            name: "Accept",
            value: "text/html,application/xhtml+xml,text/plain,text/markdown,application/json,text/csv,*/*;q=0.1"
        )
        let response = try await client.execute(request, deadline: deadline)
        if let location = try redirect(response) { return .moved(location) }
        let media = try MediaType(of: response.headers)
        let bytes = try await body(of: response, media)
        return .page(PageSource(bytes: bytes, type: media.type, charset: media.charset, url: url.parts.canonical))
    }

    /// - Returns: where the answer leads; nil where it is the page itself.
    private static func redirect(_ response: HTTPClientResponse) throws(FetchFault) -> String? {
        let status = Int(response.status.code)
        if [301, 302, 303, 307, 308].contains(status) {
            guard let location = response.headers.first(name: "Location") else {
                throw .failed("the server answered \(status) without saying where to go")
            }
            return location
        }
        guard (200..<300).contains(status) else { throw .failed("the server answered \(status)") }
        return nil
    }

    private static let tooLarge = FetchFault.failed("the page is larger than 5 MB")

    private static func body(of response: HTTPClientResponse, _ media: MediaType) async throws -> [UInt8] {
        if let announced = response.headers.first(name: "Content-Length").flatMap(Int.init), announced > byteLimit {
            throw tooLarge
        }
        if let packing = media.packing { return try await unpacked(response, packing) }
        var bytes: [UInt8] = []
        for try await part in response.body {
            guard bytes.count + part.readableBytes <= byteLimit else { throw tooLarge }
            bytes += part.readableBytesView
        }
        return bytes
    }

    private static func unpacked(
        _ response: HTTPClientResponse,
        _ packing: MediaType.Packing
    ) async throws -> [UInt8] {
        let inflater = Inflater(deflate: packing == .deflate, limit: byteLimit)
        do {
            for try await part in response.body { try part.withUnsafeReadableBytes { try inflater.add($0) } }
            return try inflater.end()
        } catch let fault as Inflater.Fault {
            throw fault == .tooLarge ? tooLarge : FetchFault.failed(MediaType.unreadable)
        }
    }

    // MARK: Text

    private func read(_ source: PageSource, until deadline: ContinuousClock.Instant) async throws -> FetchedPage {
        let reader = reader
        // It blocks, so it has a thread.
        let text = try await NIOThreadPool.singleton.runIfActive { reader.read(source, until: deadline) }
        guard let text, text.text.contains(where: { !$0.isWhitespace }) else {
            throw FetchFault.failed("the page has no text that can be extracted")
        }
        return FetchedPage(
            title: text.title,
            text: text.text,
            contentType: source.type,
            truncated: text.truncated,
            finalURL: source.url
        )
    }
}
