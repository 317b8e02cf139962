import Domain
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// A request that has passed the gates.
struct APIRequest: Sendable {
    /// Nil only on routes that are open to anybody.
    let identity: Caller?
    let parameters: [String: String]
    let query: [String: String]
    /// The session's token, where the caller sent one.
    let sessionToken: String?
    /// The id of the last event that a reconnecting stream's client has.
    let lastEventID: String?
    let headers: HTTPFields
    /// As it was sent, percent signs and all.
    let path: String
    /// The host that was asked, and its port.
    let authority: String
    /// How Stripe signed the body, where it sends one.
    let stripeSignature: String?
    /// What a job that this request waits for is unique by, where the caller sent an `Idempotency-Key`.
    var onceKey: String?
    /// The tags of the copies that the caller has.
    let ifNoneMatch: String?
    private var body: RequestBody
    /// Tells when the client is gone; nil where there is no connection, in tests of a router alone.
    private let channel: (any Channel)?
    /// What Content-Length says.
    let announcedLength: Int?

    /// Bytes of a JSON body at most (contract X-12).
    static let bodyLimit = 1 << 20

    init(_ request: Request, parameters: [String: String], identity: Caller?, channel: (any Channel)? = nil) {
        self.identity = identity
        self.parameters = parameters
        query = Dictionary(
            request.uri.queryParameters.map { (String($0.key), String($0.value)) },
            uniquingKeysWith: { first, _ in first }
        )
        sessionToken = Authentication.token(request)
        lastEventID = request.headers[.lastEventID]
        stripeSignature = request.headers[.stripeSignature]
        headers = request.headers
        path = request.uri.path
        authority = request.head.authority ?? "localhost"
        ifNoneMatch = request.headers[.ifNoneMatch]
        body = request.body
        self.channel = channel
        announcedLength = request.headers[.contentLength].flatMap(Int.init)
    }

    /// Who asks.
    ///
    /// - Throws: 401 on a route that lets anybody in.
    var caller: Caller {
        get throws {
            guard let identity else { throw APIError.unauthorized }
            return identity
        }
    }

    func id<Owner>(_ name: String = "id", of: Owner.Type = Owner.self) -> ID<Owner> {
        ID(parameters[name] ?? "")
    }

    /// The body as it comes, for routes that do not hold it; it can be read once.
    var stream: RequestBody { body }

    /// The body as it was sent.
    ///
    /// - Throws: 413 over ``bodyLimit``.
    func bytes() async throws -> ByteBuffer {
        guard announcedLength ?? 0 <= Self.bodyLimit else { throw APIError.tooLarge }
        do {
            return try await body.collect(upTo: Self.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw APIError.tooLarge
        }
    }

    /// Runs what may take long, and gives it up as soon as the client is gone.
    ///
    /// - Throws: `CancellationError` where the client is gone; what `deed` throws.
    func whileConnected<Value: Sendable>(_ deed: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let channel else { return try await deed() }
        // A task of its own, because the connection's end must be able to cancel it; it is waited for here.
        let task = Task { try await deed() }
        let tell: @Sendable ((@Sendable () -> Void)?) -> Void = { waiter in
            channel.eventLoop.execute {
                try? channel.pipeline.syncOperations.handler(type: GoneClients.self).tell(waiter)
            }
        }
        tell { task.cancel() }
        defer { tell(nil) }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// The same request with a body that was read already.
    func holding(_ bytes: ByteBuffer) -> APIRequest {
        var copy = self
        copy.body = RequestBody(buffer: bytes)
        return copy
    }

    /// The body as a JSON object; none at all is the empty one.
    ///
    /// - Throws: as ``object()``.
    func optionalObject() async throws -> [String: JSON] {
        let bytes = try await bytes()
        return bytes.readableBytes == 0 ? [:] : try await holding(bytes).object()
    }

    /// The body as a JSON object.
    ///
    /// - Throws: 413 over ``bodyLimit``; 400 where it is no JSON object, or holds what Postgres cannot store.
    func object() async throws -> [String: JSON] {
        let bytes = try await bytes()
        guard let json = try? JSON(utf8: bytes) else { throw APIError.invalid("The body is not valid JSON") }
        guard case .object(let members) = json else { throw APIError.invalid("The body must be a JSON object") }
        guard json.depth <= 32 else { throw APIError.invalid("The body is nested more than 32 levels deep") }
        guard !json.containsNUL else {
            throw APIError.invalid("The body holds the character U+0000, which is not allowed")
        }
        return members
    }
}

extension JSON {
    fileprivate init(utf8 buffer: ByteBuffer) throws {
        self =
            try buffer.readableBytesView.withContiguousStorageIfAvailable { try JSON(utf8: $0) }
            ?? JSON(parsing: Data(buffer.readableBytesView))
    }

    fileprivate var depth: Int {
        switch self {
        case .array(let values): 1 + (values.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.values.map(\.depth).max() ?? 0)
        default: 0
        }
    }

    fileprivate var containsNUL: Bool {
        switch self {
        case .string(let text): text.utf8.contains(0)
        case .array(let values): values.contains(where: \.containsNUL)
        case .object(let members): members.contains { $0.key.utf8.contains(0) || $0.value.containsNUL }
        default: false
        }
    }
}
