import NIOCore
import NIOPosix
import Synchronization

/// A TCP door in front of a server's unix socket that can be told to misbehave.
final class Proxy: Sendable {
    let port: Int
    private let listener: any Channel
    private let mischief: Mischief

    /// - Parameter socket: path of the server's unix socket.
    init(to socket: String) async throws {
        let mischief = Mischief()
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { Self.connect($0, to: socket, mischief) }
            .bind(host: "127.0.0.1", port: 0).get()
        self.mischief = mischief
        port = listener.localAddress?.port ?? 0
    }

    /// Every connection ends now.
    func cut() { mischief.closeAll() }

    /// The next reply on any connection is dropped and the connection ends: the request went through, nobody knows.
    func loseNextReply() { mischief.state.withLock { $0.loseReply = true } }

    /// The next reply is cut in its middle.
    func tearNextReply() { mischief.state.withLock { $0.tearReply = true } }

    /// Half open: connections are accepted and stay, and nothing passes.
    func silence() { mischief.state.withLock { $0.silent = true } }

    /// Each chunk arrives so much later, in order.
    func delay(milliseconds: Int64) { mischief.state.withLock { $0.delay = .milliseconds(milliseconds) } }

    /// An honest proxy again. What was swallowed is gone, so its connections end.
    func heal() {
        let wasSilent = mischief.state.withLock { state in
            defer { state = Mischief.State(channels: state.channels) }
            return state.silent
        }
        if wasSilent { cut() }
    }

    func close() async {
        try? await listener.close().get()
        cut()
    }

    /// Client and server side share an event loop, so what passes between them keeps its order.
    private static func connect(_ client: any Channel, to socket: String, _ mischief: Mischief) -> EventLoopFuture<Void>
    {
        ClientBootstrap(group: client.eventLoop)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    try server.pipeline.syncOperations.addHandler(Relay(peer: client, replies: true, mischief))
                }
            }
            .connect(unixDomainSocketPath: socket)
            .flatMap { server in
                client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(Relay(peer: server, replies: false, mischief))
                    mischief.add(client)
                }
            }
    }
}

/// What a proxy shall do wrong, and whom it serves.
final class Mischief: Sendable {
    struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var loseReply = false
        var tearReply = false
        var silent = false
        var delay = TimeAmount.zero
    }

    enum Deed { case pass(after: TimeAmount), swallow, close, tear }

    let state = Mutex(State())

    func deed(reply: Bool) -> Deed {
        state.withLock { state in
            if state.silent { return .swallow }
            guard reply else { return .pass(after: state.delay) }
            if state.loseReply {
                state.loseReply = false
                return .close
            }
            if state.tearReply {
                state.tearReply = false
                return .tear
            }
            return .pass(after: state.delay)
        }
    }

    func add(_ channel: any Channel) {
        state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { [self] _ in
            _ = state.withLock { $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }

    func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }
}

/// One direction of one connection.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: any Channel
    private let replies: Bool
    private let mischief: Mischief
    private var last = NIODeadline.uptimeNanoseconds(0)

    init(peer: any Channel, replies: Bool, _ mischief: Mischief) {
        self.peer = peer
        self.replies = replies
        self.mischief = mischief
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch mischief.deed(reply: replies) {
        case .swallow: break
        case .close: context.close(promise: nil)
        case .tear:
            if let half = bytes.readSlice(length: bytes.readableBytes / 2) { peer.writeAndFlush(half, promise: nil) }
            context.close(promise: nil)
        case .pass(let delay): pass(bytes, after: delay, on: context.eventLoop)
        }
    }

    private func pass(_ bytes: ByteBuffer, after delay: TimeAmount, on loop: any EventLoop) {
        let due = max(.now() + delay, last + .nanoseconds(1))
        guard delay > .zero || last > .now() else {
            peer.writeAndFlush(bytes, promise: nil)
            return
        }
        last = due
        let peer = peer
        loop.scheduleTask(deadline: due) { peer.writeAndFlush(bytes, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { peer.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
