import Logging
import NIOCore

extension Redis {
    /// Listens to channels on a connection of its own; returns when the server has confirmed all of them.
    ///
    /// - Parameter channels: The channels' names; at least one.
    /// - Returns: The messages from now on.
    /// - Throws: ``RedisError`` when there is no connection within the configuration's `connectTimeout`, or the server
    ///   refuses.
    package func subscribe(_ channels: [String]) async throws(RedisError) -> RedisSubscription {
        let link = RedisLink(configuration, logger: logger, patience: .everyAttempt)
        do {
            let deadline = NIODeadline.now() + TimeAmount(within: configuration.connectTimeout)
            let connection = try await link.connection(before: deadline)
            let subscription = RedisSubscription(link, connection)
            try await subscription.begin(channels)
            return subscription
        } catch {
            link.abandon()
            throw error
        }
    }
}

/// The messages of some channels, for one reader.
///
/// Ends with an error when the connection is lost (`disconnected`) or when more than 1024 messages wait for the reader
/// (`overflow`): either way messages were missed, and the caller should read the state anew and subscribe again. Ends
/// without an error after ``close()`` or when the reading task is cancelled. A server that has fallen silent is found
/// by a ping every `commandTimeout`.
package struct RedisSubscription: AsyncSequence, Sendable {
    package typealias Element = (channel: String, message: String)
    package typealias Failure = RedisError
    private typealias Stream = AsyncThrowingStream<Element, any Error>

    private let link: RedisLink
    private let connection: RedisConnection
    private let stream: Stream
    private let feed: Stream.Continuation

    fileprivate init(_ link: RedisLink, _ connection: RedisConnection) {
        self.link = link
        self.connection = connection
        (stream, feed) = Stream.makeStream(bufferingPolicy: .bufferingOldest(1024))
        feed.onTermination = { _ in link.abandon() }
    }

    /// Ends the messages and the connection. May be called twice.
    package func close() async {
        feed.finish()
        await link.close(grace: .zero)
    }

    package func makeAsyncIterator() -> Iterator { Iterator(base: stream.makeAsyncIterator()) }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: AsyncThrowingStream<Element, any Error>.Iterator

        package mutating func next() async throws(RedisError) -> Element? { try await next(isolation: #isolation) }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(RedisError) -> Element? {
            do {
                return try await base.next(isolation: actor)
            } catch {
                throw error as? RedisError ?? RedisError(.protocolViolation, "A subscription failed: \(error)")
            }
        }
    }
}

extension RedisSubscription {
    fileprivate func begin(_ channels: [String]) async throws(RedisError) {
        connection.listen { [feed, address = connection.address] in Self.pass($0, to: feed, from: address) }
        connection.channel.closeFuture.whenComplete { [feed, connection] _ in
            let reason = connection.ended ?? RedisConnection.closedByUs
            guard reason != RedisConnection.closedByUs else { return feed.finish() }
            feed.finish(throwing: RedisError.connectionLost(to: connection.address, because: reason))
        }
        // A command for each channel: one for all would be confirmed many times but refused only once.
        let commands = channels.map { ["SUBSCRIBE", $0] }
        let request = RedisRequest(commands, timeout: link.configuration.commandTimeout)
        for outcome in await connection.send(request) { _ = try outcome.get() }
        keepAsking(every: link.configuration.commandTimeout)
    }

    private static func pass(_ reply: RedisReply, to feed: Stream.Continuation, from address: String) {
        guard let parts = reply.array, parts.count == 3, let channel = parts[1].string, let bytes = parts[2].bytes
        else {
            return
        }
        let result = feed.yield((channel, String(decoding: bytes, as: UTF8.self)))
        guard case .dropped = result else { return }
        let text = "Messages of Redis at \(address) came faster than they were read, and some are missed. Read the "
        feed.finish(throwing: RedisError(.overflow, text + "state anew and subscribe again."))
    }

    private func keepAsking(every interval: Duration) {
        let pause = TimeAmount(within: interval)
        let pinging = link.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { [connection] _ in
            connection.post(RedisRequest([["PING"]], timeout: interval)) { _ in }
        }
        connection.channel.closeFuture.whenComplete { _ in pinging.cancel() }
    }
}
