import NIOCore

/// Tells a request that waits for a job that its client has hung up.
///
/// A client that is gone looks like one that has only finished sending: its half of the connection is closed. Whoever
/// waits for an answer keeps both halves open.
final class GoneClients: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private var isGone = false
    private var waiter: (@Sendable () -> Void)?

    /// Calls `waiter` as soon as the client is gone, or at once where it is. To be called on the connection's event loop.
    ///
    /// - Parameter waiter: nil takes the last one back.
    func tell(_ waiter: (@Sendable () -> Void)?) {
        self.waiter = waiter
        if isGone { waiter?() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { gone() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    private func gone() {
        isGone = true
        waiter?()
    }
}
