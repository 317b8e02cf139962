import AsyncHTTPClient
import Crypto
import Domain
import Glibc
import NIOCore
import NIOHTTP1

/// Signed requests to one bucket.
struct S3Exchange: Sendable {
    let location: S3Location
    private let signature: S3Signature

    /// For a request and its answer's head; a body that is read has as long as its reader takes.
    private static let patience = TimeAmount.seconds(60)

    /// A store that is away is said to be so at once: the attempts are ours, not the client's.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    init(_ location: S3Location, accessKey: String, secretKey: String) {
        self.location = location
        signature = S3Signature(accessKey: accessKey, secretKey: secretKey, region: location.region)
    }

    /// One request of ours.
    struct Call: Sendable {
        let method: String
        var key = ""
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body = ByteBuffer()
    }

    /// Asks up to three times while the store is overloaded or the connection breaks: every request of ours may be repeated.
    ///
    /// - Throws: ``BlobError``
    func send(_ call: Call) async throws -> HTTPClientResponse {
        var pause = Duration.milliseconds(100)
        for _ in 0..<2 {
            do {
                let response = try await attempt(call)
                guard response.status.code >= 500 else { return try await Self.checked(response) }
            } catch let error as BlobError where error != .missing && !Self.isFinal(error) {
                // The next attempt may go better.
            }
            try await Task.sleep(for: pause)
            pause *= 4
        }
        return try await Self.checked(attempt(call))
    }

    /// The same for an answer that is read whole; it holds XML of at most 1 MiB.
    func text(_ call: Call) async throws -> (text: String, headers: HTTPHeaders) {
        let response = try await send(call)
        do {
            let body = try await response.body.collect(upTo: 1 << 20)
            return (String(buffer: body), response.headers)
        } catch {
            throw Self.broken(error)
        }
    }

    // MARK: One attempt

    private func attempt(_ call: Call) async throws -> HTTPClientResponse {
        let path = path(call.key)
        let moment = Self.now()
        var hash = SHA256()
        call.body.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        let payload = hash.finalize().hexadecimal
        let headers =
            call.headers + [
                ("host", location.authority), ("x-amz-content-sha256", payload),
                ("x-amz-date", S3Signature.stamp(moment)),
            ]
        let asked = S3Signature.Request(method: call.method, path: path, query: call.query, headers: headers)
        let query = call.query.isEmpty ? "" : "?" + S3Signature.canonical(call.query)
        var request = HTTPClientRequest(url: "\(location.scheme)://\(location.authority)\(path)\(query)")
        request.method = HTTPMethod(rawValue: call.method)
        for (name, value) in headers where name != "host" { request.headers.add(name: name, value: value) }
        request.headers.add(
            name: "authorization",
            value: signature.authorization(asked, payload: payload, at: moment)
        )
        if call.method == "PUT" || call.method == "POST" { request.body = .bytes(call.body) }
        do {
            return try await Self.client.execute(request, timeout: Self.patience)
        } catch {
            throw Self.broken(error)
        }
    }

    private func path(_ key: String) -> String {
        "/\(location.bucket)/" + key.percentEncoded(keeping: "/")
    }

    private static func now() -> Timestamp { Timestamp(microseconds: Int64(Glibc.time(nil)) * 1_000_000) }

    // MARK: Refusals

    private static func checked(_ response: HTTPClientResponse) async throws -> HTTPClientResponse {
        switch response.status.code {
        case 200..<300, 416: return response
        case 404: throw BlobError.missing
        default:
            let body = try? await response.body.collect(upTo: 1 << 16)
            let code = body.flatMap { between("<Code>", "</Code>", String(buffer: $0)).first } ?? ""
            throw BlobError.unavailable("the store answered \(response.status.code) \(code)")
        }
    }

    /// What another attempt would get again.
    private static func isFinal(_ error: BlobError) -> Bool {
        guard case .unavailable(let text) = error else { return true }
        return text.hasPrefix("the store answered 4")
    }

    static func broken(_ error: any Error) -> any Error {
        if error is CancellationError || Task.isCancelled { return CancellationError() }
        // Not the error's own text: it may name the server.
        let kind = (error as? HTTPClientError).map { $0.shortDescription } ?? "the connection failed"
        return BlobError.unavailable(kind)
    }

    /// What stands between two tags, as often as they come. The store's answers are flat enough for it.
    static func between(_ opening: String, _ closing: String, _ text: String) -> [String] {
        text.split(separator: opening, omittingEmptySubsequences: false).dropFirst().compactMap { rest in
            rest.firstRange(of: closing).map { String(rest[..<$0.lowerBound]) }
        }
    }
}
