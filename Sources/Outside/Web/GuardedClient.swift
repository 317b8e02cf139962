private import AsyncHTTPClient
package import Domain
private import FoundationEssentials
private import Glibc
private import NIOCore
private import NIOHTTP1
private import NIOSSL

/// Posts to URLs that callers chose, and only to public addresses.
///
/// The name is resolved once, every answer must pass the guard, and the connection goes to the address that was checked:
/// a name that changes its mind in between (DNS rebinding) gains nothing. Each post has a connection of its own, so
/// tenants share none. Redirects are not followed.
package struct GuardedClient: WebhookSender {
    private let addresses: AddressGuard
    private let trust: [NIOSSLAdditionalTrustRoots]
    private let limit: TimeAmount

    /// - Parameters:
    ///   - authorities: path of a PEM file with certificates to trust besides the system's.
    ///   - limit: for one post, in seconds.
    package init(_ addresses: AddressGuard, authorities: String? = nil, limit: Int = 15) {
        self.addresses = addresses
        trust = authorities.map { [.file($0)] } ?? []
        self.limit = .seconds(Int64(limit))
    }

    package func post(_ post: WebhookPost) async -> WebhookReply {
        let deadline = NIODeadline.now() + limit
        let url: GuardedURL
        do {
            url = try GuardedURL(post.url, guard: addresses)
        } catch {
            return .failed(error.description)
        }
        let found = await Resolver.addresses(of: url.host)
        guard let first = found.first else { return .failed("the host name of the url has no address") }
        guard found.allSatisfy({ NetworkAddress($0).map(addresses.permits) ?? false }) else {
            return .failed("the url leads to an address that is not public")
        }
        let client = client(for: url, at: first)
        let reply = await exchange(post, client, deadline)
        try? await client.shutdown()
        return reply
    }

    private func client(for url: GuardedURL, at address: String) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.additionalTrustRoots = trust
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(5)),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        if NetworkAddress(url.host) == nil { configuration.dnsOverride = [url.host: address] }
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    private func exchange(_ post: WebhookPost, _ client: HTTPClient, _ deadline: NIODeadline) async -> WebhookReply {
        var request = HTTPClientRequest(url: Self.lowercasingHost(of: post.url))
        request.method = .POST
        request.body = .bytes(post.body)
        for (name, value) in WebhookSignature.headers(of: post, at: Glibc.time(nil)) {
            request.headers.add(name: name, value: value)
        }
        do {
            let response = try await client.execute(request, deadline: deadline)
            var excerpt = ByteBuffer()
            for try await part in response.body {
                excerpt.writeImmutableBuffer(part)
                if excerpt.readableBytes >= Self.excerptLimit { break }
            }
            let text = String(decoding: excerpt.readableBytesView.prefix(Self.excerptLimit), as: UTF8.self)
            return .answered(status: Int(response.status.code), excerpt: text.filter { $0 != "\0" })
        } catch let error as HTTPClientError where error == .deadlineExceeded {
            return .failed("no complete answer within the time limit")
        } catch {
            return .failed("the connection failed: \(error)")
        }
    }

    private static let excerptLimit = 1024

    /// The client looks its host up by exact text, and we resolved the lower-case form.
    private static func lowercasingHost(of url: String) -> String {
        guard var parts = URLComponents(string: url), let host = parts.host else { return url }
        parts.host = host.lowercased()
        return parts.string ?? url
    }
}
