package import Logging
import NIOCore

/// A client of one Redis server (Redis 6 or later, RESP2). Safe to use from any number of tasks at once.
///
/// All callers share one pipelined connection, which is made in the background as soon as the client exists and made
/// again (50 ms to 2 s, jittered) whenever it is lost. Nothing is queued while it is away: commands then fail at once
/// with `disconnected(sent: false)`; only before the first attempt to connect has finished do they wait for it.
///
/// Every command has a deadline. One that passes it, or whose task is cancelled, gives up only its reply. When the
/// server has not sent a byte for the whole window, the connection counts as dead and is rebuilt.
///
/// Not for commands that block (``blocking()``), that subscribe (``subscribe(_:)``) or that change what replies look
/// like (`MONITOR`, `CLIENT REPLY`, `HELLO 3`), nor for `MULTI` spread over several calls: other callers' commands come
/// between.
package final class Redis: Sendable {
    let link: RedisLink
    let logger: Logger

    /// Begins to connect at once, in the background.
    package init(_ configuration: RedisConfiguration, logger: Logger) {
        self.logger = logger
        link = RedisLink(configuration, logger: logger, patience: .firstAttempt)
    }

    package var configuration: RedisConfiguration { link.configuration }

    /// The server without secrets: `host:port`, or the path of the socket.
    package var address: String { link.configuration.address }

    /// Raised on every successful connect; 0 before the first. A change means that replies, or the server's memory, may
    /// have been lost in between.
    package var connectionEpoch: Int { link.epoch }

    /// Whether a connection is up, as far as is known.
    package var isConnected: Bool { link.current != nil }

    /// Sends one command.
    ///
    /// - Parameters:
    ///   - arguments: The command's name and arguments; at least the name.
    ///   - timeout: How long to wait for the reply; nil is the configuration's `commandTimeout`.
    /// - Returns: The reply; never ``RedisReply/error(_:)`` at the top.
    /// - Throws: ``RedisError``; its `mayHaveRun` says whether the command may have taken effect all the same.
    package func send(_ arguments: [String], timeout: Duration? = nil) async throws(RedisError) -> RedisReply {
        try await pipeline([arguments], timeout: timeout).onlyOutcome.get()
    }

    /// Sends several commands in one write; the results come in the order of the commands.
    ///
    /// Not a transaction: other callers' commands may run between them, and one that fails does not stop the others.
    package func pipeline(_ commands: [[String]], timeout: Duration? = nil) async -> [RedisOutcome] {
        guard !commands.isEmpty else { return [] }
        let request = RedisRequest(commands, timeout: timeout ?? configuration.commandTimeout)
        do {
            return try await link.connection(before: request.deadline).send(request)
        } catch {
            return request.all(error)
        }
    }

    /// Sends one command without waiting for it; where no connection is up it fails at once.
    ///
    /// - Parameter then: called exactly once, on any thread; it must return quickly.
    package func post(_ arguments: [String], then: @escaping @Sendable (RedisOutcome) -> Void) {
        let request = RedisRequest([arguments], timeout: configuration.commandTimeout)
        guard let connection = link.current else {
            return then(.failure(.notConnected(to: address, because: "no connection is up")))
        }
        connection.post(request) { then($0.onlyOutcome) }
    }

    /// Gives up the present connection, whatever it says of itself, and makes another.
    package func reconnect(because reason: String) {
        if let connection = link.current { link.replace(connection, because: reason) }
    }

    /// Ends the connection once the open replies are in, at most a second later. Further commands fail with `closed`.
    ///
    /// Blocking connections and subscriptions are their owners' to close. May be called twice.
    package func close() async { await link.close(grace: .seconds(1)) }
}
