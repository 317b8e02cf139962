import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A model server on a real socket, OpenAI-compatible and at `/v1/messages` like Anthropic's, that answers by script and remembers what it was asked.
package final class FakeModelServer: Sendable {
    /// One request as it arrived.
    package struct Seen: Sendable {
        package let number: Int
        /// When its last byte arrived.
        package let at: ContinuousClock.Instant
        package let path: String
        package let headers: [String: String]
        package let body: String
    }

    /// A connection that the client closed before its answer was whole.
    package struct HungUp: Sendable {
        /// The request's number.
        package let number: Int
        package let at: ContinuousClock.Instant
    }

    private struct State {
        var script: [FakeModelReply]
        var seen: [Seen] = []
        var count = 0
        var hungUp: [HungUp] = []
        var connections = 0
    }

    package let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let answering: Answering

    /// What requests share: the script, the answer when it is used up, and the record.
    final class Answering: Sendable {
        private let state: Mutex<State>
        private let otherwise: @Sendable (Seen) -> FakeModelReply
        /// One answer for all, made once; nothing is recorded but the count.
        let instant: ByteBuffer?

        init(
            script: [FakeModelReply],
            otherwise: @escaping @Sendable (Seen) -> FakeModelReply,
            instant: ByteBuffer?
        ) {
            state = Mutex(State(script: script))
            self.otherwise = otherwise
            self.instant = instant
        }

        func count() { state.withLock { $0.count += 1 } }

        func answer(path: String, headers: [String: String], body: String) -> (number: Int, reply: FakeModelReply) {
            let (seen, scripted) = state.withLock { state -> (Seen, FakeModelReply?) in
                state.count += 1
                let seen = Seen(number: state.count, at: .now, path: path, headers: headers, body: body)
                state.seen.append(seen)
                return (seen, state.script.isEmpty ? nil : state.script.removeFirst())
            }
            return (seen.number, scripted ?? otherwise(seen))
        }

        func connected() { state.withLock { $0.connections += 1 } }
        func hungUp(_ number: Int) { state.withLock { $0.hungUp.append(HungUp(number: number, at: .now)) } }
        func script(_ replies: [FakeModelReply]) { state.withLock { $0.script += replies } }
        var requests: [Seen] { state.withLock { $0.seen } }
        var total: Int { state.withLock { $0.count } }
        var hangUps: [HungUp] { state.withLock { $0.hungUp } }
        var connections: Int { state.withLock { $0.connections } }
    }

    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - script: the first answers, in the order of the requests.
    ///   - otherwise: the answer when the script is used up.
    package static func start(
        _ script: FakeModelReply...,
        otherwise: @escaping @Sendable (Seen) -> FakeModelReply = { _ in .text("Hello", " there.") }
    ) async throws -> FakeModelServer {
        try await start(Answering(script: script, otherwise: otherwise, instant: nil), threads: 1)
    }

    /// Starts a server that answers at once with the same stream of `pieces` events, written in one piece: for
    /// measuring what the client costs.
    package static func startInstant(pieces: Int = 8, threads: Int = 1) async throws -> FakeModelServer {
        let events = FakeModelReply.text([String](repeating: "word ", count: pieces)).events(model: "instant").joined()
        let answering = Answering(script: [], otherwise: { _ in .text() }, instant: ByteBuffer(string: events))
        return try await start(answering, threads: threads)
    }

    private static func start(_ answering: Answering, threads: Int) async throws -> FakeModelServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(FakeModelHandler(answering))
                }
            }
        do {
            let channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
            return FakeModelServer(group: group, channel: channel, answering: answering)
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    private init(group: MultiThreadedEventLoopGroup, channel: any Channel, answering: Answering) {
        self.group = group
        self.channel = channel
        self.answering = answering
        port = channel.localAddress?.port ?? 0
    }

    /// What `OPENAI_BASE_URL` is set to.
    package var baseURL: String { "http://127.0.0.1:\(port)/v1" }

    /// What `ANTHROPIC_BASE_URL` is set to.
    package var anthropicURL: String { "http://127.0.0.1:\(port)" }

    /// Every request so far, in the order of their arrival; empty in an instant server.
    package var requests: [Seen] { answering.requests }

    /// How many requests have come.
    package var requestCount: Int { answering.total }

    /// How many connections have been made.
    package var connectionCount: Int { answering.connections }

    /// Connections that the client closed in the middle of an answer.
    package var hangUps: [HungUp] { answering.hangUps }

    /// Adds answers behind what is left of the script.
    package func then(_ replies: FakeModelReply...) { answering.script(replies) }

    /// Closes every connection and gives the port back.
    package func stop() async throws {
        try? await channel.close().get()
        try await group.shutdownGracefully()
    }

    /// Runs a test against a server, and stops it however the test ends.
    package static func with<Value>(
        _ script: FakeModelReply...,
        otherwise: @escaping @Sendable (Seen) -> FakeModelReply = { _ in .text("Hello", " there.") },
        _ test: (FakeModelServer) async throws -> Value
    ) async throws -> Value {
        let server = try await start(Answering(script: script, otherwise: otherwise, instant: nil), threads: 1)
        do {
            let value = try await test(server)
            try await server.stop()
            return value
        } catch {
            try await server.stop()
            throw error
        }
    }
}
