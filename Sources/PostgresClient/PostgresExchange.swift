private import CLibPQ

/// One trip to the server: statements out, results in, and who waits for them. For the reactor's thread only.
final class PostgresExchange: @unchecked Sendable {
    // Safe: after `init`, only the reactor's thread touches it.
    let statements: [SQL]
    var continuation: CheckedContinuation<Result<[PostgresResult], PostgresError>, Never>?
    var timer = 0
    /// Why the server was asked to stop.
    var interruption: PostgresError.Code?
    var cancelSent = false
    private(set) var finished = false
    /// What the server will answer, in order: the text of a statement that is being prepared, or nil for a result of ours.
    var answers: [String?] = []
    /// Preparations that did not take place.
    private(set) var unprepared: [String] = []
    private var position = 0
    private var results: [PostgresResult] = []
    private var failure: PostgresError?
    private var nulls = 0

    init(statements: [SQL]) {
        self.statements = statements
    }

    /// Takes one result; true once the server has answered the whole pipeline.
    func take(_ result: OpaquePointer) -> Bool {
        nulls = 0
        let status = PQresultStatus(result)
        if status == PGRES_PIPELINE_SYNC {
            PQclear(result)
            return true
        }
        let preparing = position < answers.count ? answers[position] : nil
        position += 1
        if status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK {
            let taken = PostgresResult(result)
            if preparing == nil { results.append(taken) }
            return false
        }
        if let preparing { unprepared.append(preparing) }
        if status != PGRES_PIPELINE_ABORTED, failure == nil {
            failure = PostgresError(result: result, interruption: interruption)
        }
        PQclear(result)
        return false
    }

    /// The server's statements are not what we believe: a table has changed under a plan, or a name is unknown.
    var isOutOfStep: Bool {
        failure?.sqlState == "0A000" || failure?.sqlState == "26000" || failure?.sqlState == "42P05"
    }

    /// libpq ends each statement's results with NULL; two in a row mean that there is nothing more to read.
    func sawNull() -> Bool {
        nulls += 1
        return nulls < 2
    }

    /// The one result of a single statement.
    func outcome() throws(PostgresError) -> PostgresResult {
        if let failure { throw failure }
        guard let result = results.first else { throw PostgresError(.unexpectedResult, "no result") }
        return result
    }

    func finish() {
        complete(failure.map(Result.failure) ?? .success(results))
    }

    func finish(with error: PostgresError) {
        guard let interruption else { return complete(.failure(failure ?? error)) }
        complete(.failure(failure ?? PostgresError(interruption, error.message)))
    }

    private func complete(_ result: Result<[PostgresResult], PostgresError>) {
        finished = true
        continuation?.resume(returning: result)
        continuation = nil
    }
}

extension PostgresError {
    /// Reads SQLSTATE and message of a failed result.
    init(result: OpaquePointer, interruption: PostgresError.Code?) {
        func field(_ code: UnicodeScalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        let state = field("C") ?? "XX000"
        let message = [field("M"), field("D")].compactMap(\.self).joined(separator: "; ")
        if state == "57014", let interruption {
            self.init(interruption, message)
        } else {
            self.init(.server(sqlState: state), message, constraint: field("n"))
        }
    }
}
