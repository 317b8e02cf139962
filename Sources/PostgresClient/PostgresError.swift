/// What went wrong while talking to Postgres.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The server refused the statement; the five characters are its SQLSTATE (PostgreSQL manual, appendix A).
        case server(sqlState: String)
        /// No connection could be made. Nothing was sent.
        case connectFailed
        /// The connection broke while an answer was awaited: whether the statement took effect is not known.
        case connectionLost
        /// No connection came free within the wait that the pool allows. Nothing was sent.
        case poolExhausted
        /// The statement took longer than its deadline and was cancelled.
        case timeout
        /// The calling task was cancelled.
        case cancelled
        /// The pool was closed.
        case closed
        /// A column is missing, or its value is not of the asked type.
        case unexpectedResult
        /// The address is not one that libpq can read.
        case invalidURL
    }

    package let code: Code
    package let message: String
    /// The table's constraint that a write violated, where the server names one.
    package let constraint: String?

    package init(_ code: Code, _ message: String, constraint: String? = nil) {
        self.code = code
        self.message = message
        self.constraint = constraint
    }

    package var sqlState: String? { if case .server(let state) = code { state } else { nil } }

    package var isUniqueViolation: Bool { sqlState == "23505" }

    /// The whole transaction may be tried again at once: serialization failure, deadlock.
    package var isRetryable: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// Postgres is away or going: the caller should answer 503, or wait and try again.
    package var isUnavailable: Bool {
        switch code {
        case .connectFailed, .connectionLost, .poolExhausted, .timeout, .closed: true
        // Class 57P: shutdown, crash, cannot connect now. Class 53: out of connections, disk or memory. 08: connection.
        // 25P03: the session was ended because its transaction stood still.
        case .server(let state):
            state.hasPrefix("57P") || state.hasPrefix("53") || state.hasPrefix("08") || state == "25P03"
        case .cancelled, .unexpectedResult, .invalidURL: false
        }
    }

    package var description: String {
        switch code {
        case .server(let state): "Postgres refused the statement (\(state)): \(message)"
        case .connectFailed: "Cannot connect to Postgres: \(message)"
        case .connectionLost: "The connection to Postgres was lost: \(message)"
        case .poolExhausted: "No Postgres connection came free: \(message)"
        case .timeout: "Postgres did not answer in time: \(message)"
        case .cancelled: "The statement was cancelled."
        case .closed: "The Postgres pool is closed."
        case .unexpectedResult: "Unexpected result from Postgres: \(message)"
        case .invalidURL: message
        }
    }
}
