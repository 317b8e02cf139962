import NIOCore

extension Redis {
    /// A connection of its own for blocking reads, made in the background at once.
    package func blocking() -> RedisBlockingConnection { RedisBlockingConnection(beside: self) }
}

/// A connection for commands that make the server wait, for one caller at a time: a command sent while another blocks
/// is not even read by the server before that one is done.
///
/// Reconnects by itself. While there is no connection, commands wait for the current or next attempt and fail with its
/// error, so that a caller's loop is paced by the backoff (50 ms to 2 s) and needs none of its own.
package final class RedisBlockingConnection: Sendable {
    private let link: RedisLink
    private let main: Redis
    /// What a reply may take beyond the time that the server itself waits.
    private let grace = Duration.seconds(2)
    /// How long a cancelled read may take to say whether it had an element already.
    private let parting = TimeAmount.milliseconds(250)

    init(beside main: Redis) {
        self.main = main
        link = RedisLink(main.configuration, logger: main.logger, patience: .everyAttempt)
    }

    package var isConnected: Bool { link.current != nil }

    /// Sends one command that does not block; otherwise as ``Redis/send(_:timeout:)``.
    package func send(_ arguments: [String], timeout: Duration? = nil) async throws(RedisError) -> RedisReply {
        let request = RedisRequest([arguments], timeout: timeout ?? link.configuration.commandTimeout)
        return try await link.connection(before: request.deadline).send(request).onlyOutcome.get()
    }

    /// Waits for an element in one of some sorted sets and takes the one with the lowest score
    /// (`BZPOPMIN`, https://redis.io/docs/latest/commands/bzpopmin/).
    ///
    /// Contract on cancellation: no element is lost silently. The server is asked to end the wait (`CLIENT UNBLOCK`, on
    /// the main connection); if it had taken an element already, that element is **returned although the task is
    /// cancelled**. Otherwise `cancelled` is thrown, with `mayHaveRun` false: nothing was taken. Only if the server
    /// cannot be asked within 250 ms is the connection closed instead, and `mayHaveRun` true says that an element may
    /// have been taken in that very moment. After a cancellation the connection is replaced by a fresh one.
    ///
    /// - Parameters:
    ///   - keys: The sorted sets, in the order in which they are looked at.
    ///   - timeout: How long the server waits; at least 1 ms. The reply may take 2 s longer, then `timeout` is thrown.
    /// - Returns: What was taken; nil when the time was over.
    /// - Throws: ``RedisError``. After `timeout` and `disconnected(sent: true)` an element may have been taken.
    package func bzpopmin(
        keys: [String],
        timeout: Duration
    ) async throws(RedisError) -> (key: String, member: String, score: Double)? {
        let connection = try await link.connection(
            before: .now() + TimeAmount(within: link.configuration.connectTimeout)
        )
        guard !Task.isCancelled else { throw cancelled(mayHaveRun: false) }
        let outcome = await outcome(of: ["BZPOPMIN"] + keys + [Self.seconds(timeout)], timeout + grace, on: connection)
        if Task.isCancelled { link.replace(connection, because: RedisLink.cancelledRead) }
        switch outcome {
        case .success(.null) where Task.isCancelled: throw cancelled(mayHaveRun: false)
        case .success(.null): return nil
        case .success(let reply): return try element(reply)
        case .failure(let error):
            if error.code == .timeout { link.replace(connection, because: "a blocking read was never answered") }
            throw Task.isCancelled ? cancelled(mayHaveRun: error.mayHaveRun) : error
        }
    }

    /// Ends the connection; a read that still blocks fails. Further commands fail with `closed`.
    package func close() async { await link.close(grace: .zero) }

    private func outcome(
        of command: [String],
        _ timeout: Duration,
        on connection: RedisConnection
    ) async -> RedisOutcome {
        let request = RedisRequest([command], timeout: timeout)
        return await withTaskCancellationHandler {
            await connection.sendToTheEnd(request).onlyOutcome
        } onCancel: {
            interrupt(connection)
        }
    }

    /// Ends a wait without losing what it may have taken; by force when the server cannot be asked.
    private func interrupt(_ connection: RedisConnection) {
        guard let id = connection.serverID, let asker = main.link.current else {
            return connection.end(because: RedisLink.cancelledRead)
        }
        asker.post(RedisRequest([["CLIENT", "UNBLOCK", String(id)]], timeout: .seconds(1))) { _ in }
        link.eventLoop.scheduleTask(in: parting) { connection.end(because: RedisLink.cancelledRead) }
    }

    private func cancelled(mayHaveRun: Bool) -> RedisError {
        .cancelled(at: link.configuration.address, mayHaveRun: mayHaveRun)
    }

    private func element(_ reply: RedisReply) throws(RedisError) -> (key: String, member: String, score: Double) {
        guard let parts = reply.array, parts.count == 3,
            let key = parts[0].string, let member = parts[1].string, let score = parts[2].double
        else {
            throw .protocolViolation(
                at: link.configuration.address,
                "BZPOPMIN did not give a key, a member and a score"
            )
        }
        return (key, member, score)
    }

    /// Seconds with milliseconds, as the command wants them; never 0, which would be for ever.
    private static func seconds(_ timeout: Duration) -> String {
        let milliseconds = max(TimeAmount(within: timeout).milliseconds, 1)
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
