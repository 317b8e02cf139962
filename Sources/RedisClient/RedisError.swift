/// What went wrong while talking to Redis.
///
/// The message names the server by `host:port` or socket path and says what to do; it never holds a user or password.
package struct RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The address is not one that ``RedisConfiguration`` can read.
        case invalidURL
        /// No connection could be made, or the login was refused. Nothing was sent.
        case connectFailed
        /// There is no connection (`sent` is false: the command never left this process), or it broke while the reply
        /// was awaited (`sent` is true: whether the command ran is not known).
        case disconnected(sent: Bool)
        /// No reply came before the command's own deadline.
        case timeout
        /// The calling task was cancelled.
        case cancelled
        /// The client was closed.
        case closed
        /// The server answered with an error; `prefix` is its first word (`WRONGTYPE`, `NOSCRIPT`, `OOM`, a script's
        /// own), empty when the text does not begin with a word in capitals.
        case server(prefix: String)
        /// What came back is not what the protocol allows (RESP2), or not the shape that the command answers with.
        case protocolViolation
        /// A subscription's reader was too slow and its buffer is full: messages were missed.
        case overflow
    }

    package let code: Code
    package let message: String
    /// The server may have carried the command out although its reply is not known.
    package let mayHaveRun: Bool
    /// The server's own error line, without the leading `-`; nil for every other code than `server`.
    package let serverMessage: String?

    /// Also for callers whose own reading of a reply fails.
    package init(_ code: Code, _ message: String, mayHaveRun: Bool = false, serverMessage: String? = nil) {
        self.code = code
        self.message = message
        self.mayHaveRun = mayHaveRun
        self.serverMessage = serverMessage
    }

    /// The first word of the server's error, nil for every other code.
    package var serverPrefix: String? { if case .server(let prefix) = code { prefix } else { nil } }

    /// Redis is away, full, loading or not answering: the caller should do without it, or wait and try again.
    package var isUnavailable: Bool {
        switch code {
        case .connectFailed, .disconnected, .timeout, .closed: true
        case .server(let prefix): ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "OOM", "BUSY"].contains(prefix)
        case .invalidURL, .cancelled, .protocolViolation, .overflow: false
        }
    }

    package var description: String { message }
}

// The one place that words the errors of a command.
extension RedisError {
    static func server(_ text: String, at address: String) -> RedisError {
        RedisError(
            .server(prefix: prefix(of: text)),
            "Redis at \(address) refused the command: \(text)",
            serverMessage: text
        )
    }

    static func notConnected(to address: String, because reason: String) -> RedisError {
        RedisError(
            .disconnected(sent: false),
            "No connection to Redis at \(address) (\(reason)); the command was not sent. The client reconnects by "
                + "itself: check that the server runs and can be reached from here."
        )
    }

    static func connectionLost(to address: String, because reason: String) -> RedisError {
        RedisError(
            .disconnected(sent: true),
            "The connection to Redis at \(address) was lost (\(reason)) while a reply was awaited; whether the command "
                + "ran is not known. Read the state back before repeating it.",
            mayHaveRun: true
        )
    }

    static func connectFailed(to address: String, because reason: String) -> RedisError {
        RedisError(.connectFailed, "Cannot connect to Redis at \(address): \(reason)")
    }

    static func timeout(at address: String, afterMilliseconds milliseconds: Int64) -> RedisError {
        RedisError(
            .timeout,
            "Redis at \(address) did not answer within \(milliseconds) ms; the command may still run. Check the "
                + "server's load (SLOWLOG GET) and the network.",
            mayHaveRun: true
        )
    }

    static func cancelled(at address: String, mayHaveRun: Bool) -> RedisError {
        let fate = mayHaveRun ? "it may still run" : "it was not carried out"
        return RedisError(
            .cancelled,
            "The caller of a command to Redis at \(address) was cancelled; \(fate).",
            mayHaveRun: mayHaveRun
        )
    }

    static func closed(_ address: String) -> RedisError {
        RedisError(.closed, "The client of Redis at \(address) is closed: no command can be sent any more.")
    }

    static func protocolViolation(at address: String, _ what: String) -> RedisError {
        RedisError(
            .protocolViolation,
            "Redis at \(address) answered with something unexpected: \(what). Check that a Redis server, not something "
                + "else, listens there.",
            mayHaveRun: true
        )
    }

    /// The same error with the name of the script that met it.
    func inScript(_ name: String) -> RedisError {
        guard let serverMessage else { return self }
        return RedisError(code, "\(message) (script \(name))", mayHaveRun: mayHaveRun, serverMessage: serverMessage)
    }

    private static func prefix(of text: String) -> String {
        let word = text.prefix { $0 != " " }
        let isCode = word.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
        return isCode ? String(word) : ""
    }
}
