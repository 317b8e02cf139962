import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections: socket, TLS, login.
struct Connector: Sendable {
    let configuration: RedisConfiguration
    let eventLoop: any EventLoop

    /// A connection that is ready for commands; fails with a ``RedisError``.
    func open() -> EventLoopFuture<RedisConnection> {
        connect()
            .flatMapThrowing { try $0.pipeline.syncOperations.handler(type: ReplyHandler.self).connection }
            .flatMap(greet)
            .flatMapErrorThrowing { throw wrapped($0) }
    }

    private func connect() -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(within: configuration.connectTimeout))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try addHandlers(to: channel) }
            }
        return switch configuration.endpoint {
        case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
        case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    private func addHandlers(to channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls = configuration.tls {
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: serverName))
        }
        try pipeline.addHandler(ReplyHandler(RedisConnection(channel, configuration: configuration)))
    }

    /// The name for SNI and the certificate; nil for a literal address, which TLS verifies as such (RFC 6066, 3).
    private var serverName: String? {
        guard case .tcp(let host, let port) = configuration.endpoint else { return nil }
        return (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
    }

    private func greet(_ connection: RedisConnection) -> EventLoopFuture<RedisConnection> {
        let handshake = Handshake(configuration)
        let answered = eventLoop.makePromise(of: [RedisOutcome].self)
        let request = RedisRequest(handshake.commands, timeout: configuration.connectTimeout)
        connection.post(request) { answered.succeed($0) }
        return answered.futureResult.flatMapThrowing { outcomes in
            if let ended = connection.ended { throw failed(ended) }
            do {
                connection.serverID = try handshake.verdict(outcomes).get()
                return connection
            } catch {
                connection.end(because: "the handshake failed")
                throw error
            }
        }
    }

    private func wrapped(_ error: any Error) -> RedisError {
        switch error {
        case let error as RedisError: error
        case let error as NIOConnectionError: failed(Self.reason(error))
        default: failed(ReplyHandler.reason(error))
        }
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let attempt = error.connectionErrors.first { return ReplyHandler.reason(attempt.error) }
        return "the name \(error.host) is not known"
    }

    private func failed(_ reason: String) -> RedisError {
        .connectFailed(
            to: configuration.address,
            because: "\(reason). Check the address, and that the server runs there"
        )
    }
}
