import NIOCore
import NIOHTTP1

/// One connection of the fake model server. It lives on its event loop alone.
final class FakeModelHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answering: FakeModelServer.Answering
    private var head: HTTPRequestHead?
    private var body = ""
    /// The request whose answer is not whole yet.
    private var open: Int?

    init(_ answering: FakeModelServer.Answering) {
        self.answering = answering
    }

    func channelActive(context: ChannelHandlerContext) {
        answering.connected()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
        case .body(let buffer): if answering.instant == nil { body += String(buffer: buffer) }
        case .end: answer(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let number = open { answering.hungUp(number) }
        open = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: Answering

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        if let instant = answering.instant {
            answering.count()
            return answer(instant, context)
        }
        var headers: [String: String] = [:]
        for (name, value) in head.headers { headers[name.lowercased()] = value }
        let (number, reply) = answering.answer(path: head.uri, headers: headers, body: body)
        let path = head.uri
        if reply.drops { return context.close(promise: nil) }
        open = number
        after(reply.delay, context) { handler, context in
            handler.writeHead(reply, context)
            handler.write(reply.parts(for: path), 0, reply, context)
        }
    }

    private func answer(_ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let headers: HTTPHeaders = ["Content-Type": "text/event-stream", "Content-Length": "\(body.readableBytes)"]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func writeHead(_ reply: FakeModelReply, _ context: ChannelHandlerContext) {
        var headers: HTTPHeaders = ["Content-Type": reply.contentType, "x-request-id": "req-\(open ?? 0)"]
        for header in reply.headers { headers.add(name: header.name, value: header.value) }
        let status = HTTPResponseStatus(statusCode: reply.status)
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    /// Writes the parts one after the other, at the reply's pace.
    private func write(_ parts: [ByteBuffer], _ index: Int, _ reply: FakeModelReply, _ context: ChannelHandlerContext) {
        guard index < parts.count else { return end(reply, context) }
        after(reply.pace, context) { handler, context in
            context.writeAndFlush(handler.wrapOutboundOut(.body(.byteBuffer(parts[index]))), promise: nil)
            handler.write(parts, index + 1, reply, context)
        }
    }

    private func end(_ reply: FakeModelReply, _ context: ChannelHandlerContext) {
        switch reply.ending {
        case .silence: return
        case .cut:
            open = nil
            context.close(promise: nil)
        case .whole:
            open = nil
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    /// Goes on after a while, unless the client has gone.
    private func after(
        _ delay: Duration,
        _ context: ChannelHandlerContext,
        _ next: @escaping (FakeModelHandler, ChannelHandlerContext) -> Void
    ) {
        guard delay > .zero else { return next(self, context) }
        let parts = delay.components
        let nanoseconds = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(nanoseconds)) {
            if context.channel.isActive { next(self, context) }
        }
    }
}

extension FakeModelReply {
    /// What is written, piece by piece.
    fileprivate func parts(for path: String) -> [ByteBuffer] {
        if let body { return [ByteBuffer(string: body)] }
        let isAnthropic = path.hasSuffix("/messages")
        let events = isAnthropic ? anthropicEvents(model: "fake-model-1") : events(model: "fake-model-1")
        guard writeSize > 0 else { return events.map { ByteBuffer(string: $0) } }
        let bytes = Array(events.joined().utf8)
        return stride(from: 0, to: bytes.count, by: writeSize).map { start in
            ByteBuffer(bytes: bytes[start..<min(start + writeSize, bytes.count)])
        }
    }
}
