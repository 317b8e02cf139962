import Glibc
import NIOCore
import NIOSSL

/// The end of a connection's pipeline: bytes become replies and go to their callers.
final class ReplyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let connection: RedisConnection
    private let decoder: ReplyDecoder

    init(_ connection: RedisConnection) {
        self.connection = connection
        decoder = ReplyDecoder(address: connection.address)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let decoded = unwrapInboundIn(data).withUnsafeReadableBytes { decoder.decode($0) }
        connection.deliver(decoded.replies)
        guard let violation = decoded.violation else { return }
        connection.end(because: "protocol error: \(violation)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.end(because: "the server closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.end(because: Self.reason(error))
    }

    /// A transport error in words; nothing of it can hold a secret.
    static func reason(_ error: any Error) -> String {
        switch error {
        case is NIOSSLError, is NIOSSLExtraError: "TLS failed, check certificate, authority (cafile) and host: \(error)"
        // Safe: strerror gives a constant or thread-local text (glibc 2.32), copied at once.
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout: "no answer in time"
        // A closed channel has let go of its handlers.
        case is ChannelPipelineError: "the server closed the connection at once"
        default: "\(error)"
        }
    }
}
