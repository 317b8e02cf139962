package import Domain
import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
import Synchronization

/// A website on a loopback address of its own, at port 8080, that answers by script and remembers what it was asked.
///
/// Pages are fetched from a few ports only, so a free port is no choice; the network 127/8 has addresses enough.
package final class WebServer: Sendable {
    package struct Seen: Sendable {
        /// With its query.
        package let path: String
        package let host: String
        package let headers: [String: String]
    }

    /// An answer, written piece by piece.
    package struct Reply: Sendable {
        package var status = 200
        package var headers: [(String, String)] = []
        package var pieces: [[UInt8]] = []
        /// Before the head.
        package var delay = Duration.zero
        /// Between pieces.
        package var pause = Duration.zero
        /// The connection is closed before the answer is whole.
        package var breaksOff = false

        package init(status: Int = 200, headers: [(String, String)] = [], pieces: [[UInt8]] = []) {
            self.status = status
            self.headers = headers
            self.pieces = pieces
        }

        package static func html(_ text: String) -> Reply { bytes(Array(text.utf8), type: "text/html; charset=utf-8") }

        package static func bytes(_ bytes: [UInt8], type: String?) -> Reply {
            Reply(headers: type.map { [("Content-Type", $0)] } ?? [], pieces: [bytes])
        }

        package static func redirect(_ location: String, status: Int = 302) -> Reply {
            Reply(status: status, headers: [("Location", location), ("Content-Length", "0")])
        }

        package static func status(_ status: Int) -> Reply {
            Reply(status: status, headers: [("Content-Type", "text/html")], pieces: [Array("<p>sorry</p>".utf8)])
        }
    }

    package typealias Script = @Sendable (Seen) -> Reply

    /// `127.…`, for this server alone.
    package let address: String
    private let channel: any Channel
    private let seen: Record

    fileprivate final class Record: Sendable {
        let script: Script
        let requests = Mutex<[Seen]>([])

        init(_ script: @escaping Script) { self.script = script }
    }

    package var requests: [Seen] { seen.requests.withLock { $0 } }

    /// What must be let through so that the server can be reached.
    package var range: AddressRange { AddressRange(address + "/32") ?? AddressRange.none }

    package func url(_ path: String, scheme: String = "http") -> String { "\(scheme)://\(address):8080\(path)" }

    /// - Parameter tls: makes it an HTTPS server.
    package static func start(
        address: String? = nil,
        tls: TLSConfiguration? = nil,
        _ script: @escaping Script
    ) async throws -> WebServer {
        let record = Record(script)
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(WebHandler(record))
                }
            }
        for _ in 0..<20 {
            let random = [Int.random(in: 2...250), .random(in: 0...255), .random(in: 2...250)]
            let own = address ?? "127." + random.map { String($0) }.joined(separator: ".")
            guard let channel = try? await bootstrap.bind(host: own, port: 8080).get() else { continue }
            return WebServer(own, channel, record)
        }
        throw NeverHappened(description: "no loopback address has port 8080 free")
    }

    private init(_ address: String, _ channel: any Channel, _ record: Record) {
        self.address = address
        self.channel = channel
        seen = record
    }

    package func stop() async throws {
        try await channel.close().get()
    }

    /// One connection. It lives on its event loop alone.
    fileprivate final class WebHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let record: Record
        private var head: HTTPRequestHead?

        init(_ record: Record) { self.record = record }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end: answer(context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        private func answer(_ context: ChannelHandlerContext) {
            guard let head else { return }
            var headers: [String: String] = [:]
            for (name, value) in head.headers { headers[name.lowercased()] = value }
            let seen = Seen(path: head.uri, host: headers["host"] ?? "", headers: headers)
            record.requests.withLock { $0.append(seen) }
            let reply = record.script(seen)
            after(reply.delay, context) { handler, context in
                let status = HTTPResponseStatus(statusCode: reply.status)
                let head = HTTPResponseHead(version: .http1_1, status: status, headers: HTTPHeaders(reply.headers))
                context.writeAndFlush(handler.wrapOutboundOut(.head(head)), promise: nil)
                handler.write(reply, 0, context)
            }
        }

        private func write(_ reply: Reply, _ index: Int, _ context: ChannelHandlerContext) {
            guard context.channel.isActive else { return }
            guard index < reply.pieces.count else {
                if reply.breaksOff { return context.close(promise: nil) }
                return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
            let buffer = context.channel.allocator.buffer(bytes: reply.pieces[index])
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
            after(reply.pause, context) { handler, context in handler.write(reply, index + 1, context) }
        }

        private func after(
            _ delay: Duration,
            _ context: ChannelHandlerContext,
            _ body: @escaping @Sendable (WebHandler, ChannelHandlerContext) -> Void
        ) {
            guard delay > .zero else { return body(self, context) }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let (seconds, atto) = delay.components
            context.eventLoop.scheduleTask(in: .nanoseconds(seconds * 1_000_000_000 + atto / 1_000_000_000)) {
                body(bound.value.0, bound.value.1)
            }
        }
    }
}

extension AddressRange {
    /// Holds no address that matters.
    fileprivate static var none: AddressRange {
        guard let range = AddressRange("255.255.255.255/32") else { preconditionFailure("a constant") }
        return range
    }
}
