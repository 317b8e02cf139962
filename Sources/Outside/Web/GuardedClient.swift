import AsyncHTTPClient
package import Domain
import NIOCore
private import NIOPosix
private import NIOSSL

/// Talks to URLs that callers chose, and only to public addresses: posts events, fetches pages.
///
/// The name is resolved once, every answer must pass the guard, and the connection goes to the address that was checked:
/// a name that changes its mind in between (DNS rebinding) gains nothing. Each exchange has a connection of its own, so
/// tenants share none. Redirects are never followed by the HTTP library; ``PageClient`` follows them hop by hop.
package struct GuardedClient: Sendable {
    let addresses: AddressGuard
    private let resolver: Resolver
    private let trust: [NIOSSLAdditionalTrustRoots]
    let limit: Duration

    /// - Parameters:
    ///   - authorities: path of a PEM file with certificates to trust besides the system's.
    ///   - limit: for everything that belongs to one post or to one page, in seconds.
    package init(
        _ addresses: AddressGuard,
        authorities: String? = nil,
        limit: Int = 15,
        resolver: Resolver = .system
    ) {
        self.addresses = addresses
        self.resolver = resolver
        trust = authorities.map { [.file($0)] } ?? []
        self.limit = .seconds(limit)
    }

    /// Why there is no connection, or none any more. No address that a name led to is in the text.
    enum Fault: Error {
        case notPublic
        case failed(String)

        var text: String {
            switch self {
            case .notPublic: "the url leads to an address that is not public"
            case .failed(let reason): reason
            }
        }
    }

    /// Resolves, checks, connects, and gives `body` a client that can talk to nothing else.
    ///
    /// - Throws: ``Fault``, `CancellationError`, what `body` throws as ``Fault`` or ``FetchFault``.
    func withClient<Value: Sendable>(
        for url: GuardedURL,
        until deadline: NIODeadline,
        _ body: (HTTPClient) async throws -> Value
    ) async throws -> Value {
        let address = try await address(of: url, until: deadline)
        let client = client(for: url, at: address)
        do {
            let value = try await body(client)
            try? await client.shutdown()
            return value
        } catch {
            try? await client.shutdown()
            throw Self.fault(error)
        }
    }

    private func address(of url: GuardedURL, until deadline: NIODeadline) async throws -> String {
        let left = (deadline - .now()).nanoseconds
        let found = await resolver.addresses(of: url.host, within: .nanoseconds(max(left, 0)))
        try Task.checkCancellation()
        guard let first = found.first else { throw Fault.failed("the host name of the url has no address") }
        guard found.allSatisfy({ NetworkAddress($0).map(addresses.permits) ?? false }) else { throw Fault.notPublic }
        return first
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
        configuration.connectionPool.retryConnectionEstablishment = false
        if NetworkAddress(url.host) == nil { configuration.dnsOverride = [url.host: address] }
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    /// The library's own words may hold addresses.
    private static func fault(_ error: any Error) -> any Error {
        switch error {
        case is Fault, is FetchFault, is CancellationError: error
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            Fault.failed("no complete answer within the time limit")
        case let error as HTTPClientError where error == .cancelled && Task.isCancelled: CancellationError()
        case let error as HTTPClientError where error == .connectTimeout || error == .tlsHandshakeTimeout:
            Fault.failed("the connection failed: the server does not answer")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            Fault.failed("the connection failed: its TLS certificate or protocol cannot be trusted")
        case is NIOConnectionError, is IOError:
            Fault.failed("the connection failed: it was refused, or the host is away")
        default: Fault.failed("the connection failed before the answer was complete")
        }
    }
}
