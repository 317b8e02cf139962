private import Crypto
private import Domain
private import FoundationEssentials
package import PostgresClient

/// Does a request once, however often it is sent (contract T-7 to T-9, decision D-63).
///
/// Request and stored answer are one transaction, under an advisory lock on principal and key. A process that dies rolls back
/// both and frees the lock with its connection, so the next one that asks simply does the request. What has to wait for
/// somebody else does so after the commit, and is taken over from a process that dies over it.
package struct IdempotencyStore: Sendable {
    private let postgres: Postgres
    private let sealer: Sealer
    private let patience: Duration

    /// - Parameter patience: how long a request waits for another one under way with the same key.
    package init(_ postgres: Postgres, sealer: Sealer, patience: Duration = .seconds(10)) {
        self.postgres = postgres
        self.sealer = sealer
        self.patience = patience
    }

    /// One request, as far as "the same one" goes.
    package struct Request: Sendable {
        let principal: String
        let key: String
        let fingerprint: PostgresBytes

        /// - Parameters:
        ///   - principal: API key or user.
        ///   - key: what the caller sent, 1 to 255 visible ASCII characters.
        ///   - content: method, path and body: another content under the same key is another request.
        package init(principal: String, key: String, content: [UInt8]) {
            self.principal = principal
            self.key = key
            fingerprint = PostgresBytes(SHA256.hash(data: Data(content)))
        }

        /// The request's own name: hex, the same for the same request only.
        package var name: String {
            SHA256.hash(data: Data("\(principal)\n\(key)\n".utf8) + Data(fingerprint.bytes)).hexadecimal
        }

        /// What the advisory lock is taken on.
        var lock: Int64 {
            SHA256.hash(data: Data("\(principal)\n\(key)".utf8)).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
        }
    }

    /// What is kept of an answer.
    package struct Answer: Sendable, Equatable {
        package let status: Int
        package let body: String

        package init(status: Int, body: String) {
            self.status = status
            self.body = body
        }
    }

    package enum Outcome<Value: Sendable>: Sendable {
        /// Done now.
        case performed(Value)
        /// Done now, or found half done, and finished: see ``once(_:finishing:perform:)``.
        case finished(Answer)
        /// Done before, within the last 24 hours: the same bytes.
        case replayed(Answer)
        /// The key was used for another request.
        case differs
        /// Another one with the same key is still under way.
        case busy
    }

    /// What makes a good answer whole once it is committed, without transaction or connection. It may run again, in another
    /// process, where the first one died over it.
    package typealias Finish = @Sendable (Answer) async -> Answer

    /// - Parameters:
    ///   - finish: for a request that has to wait for something when it has had its effect; within ``finishLimit``. Requests
    ///     with the same key wait for what it makes of the answer.
    ///   - perform: the request; its second value is what to keep, nil to roll everything back and keep nothing.
    package func once<Value: Sendable>(
        _ request: Request,
        finishing finish: Finish? = nil,
        perform: @Sendable () async throws -> (Value, Answer?)
    ) async throws -> Outcome<Value> {
        let deadline = ContinuousClock.now + patience
        var pause = Duration.milliseconds(10)
        while true {
            let step = try await attempt(request, isWhole: finish == nil, perform)
            switch step {
            case .half(let answer): return try await conclude(request, finish?(answer) ?? answer)
            case .ended(.busy) where ContinuousClock.now < deadline: break
            case .ended(let outcome): return outcome
            }
            // Waiting holds no connection: many waiters must not starve the one they wait for.
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(160))
        }
    }

    /// After so many seconds, whoever was finishing an answer is taken for dead.
    package static let finishLimit = 5

    /// Where a request stands after one look.
    private enum Step<Value: Sendable>: Sendable {
        case ended(Outcome<Value>)
        /// Its effect is committed; this is its answer so far.
        case half(Answer)
    }

    /// For a request that waits for a job: a connection and a lock must not be held for so long. The job is to be unique by
    /// ``Request/name``, so that requests at the same time share it; those that come later get the stored answer.
    ///
    /// - Parameter perform: the request; its second value is what to keep, nil to keep nothing.
    package func afterwards<Value: Sendable>(
        _ request: Request,
        _ perform: @Sendable () async throws -> (Value, Answer?)
    ) async throws -> Outcome<Value> {
        if let known: Outcome<Value> = try await known(request) { return known }
        let (value, answer) = try await perform()
        if let answer { try await keep(answer, of: request) }
        return .performed(value)
    }

    private func attempt<Value: Sendable>(
        _ request: Request,
        isWhole: Bool,
        _ perform: @Sendable () async throws -> (Value, Answer?)
    ) async throws -> Step<Value> {
        do {
            let lock: SQL = "SELECT pg_try_advisory_xact_lock(\(request.lock)::bigint)"
            return try await postgres.enclosing(opening: lock) { locked -> Step<Value> in
                guard try locked.first?.decode(Bool.self) ?? false else { return .ended(.busy) }
                if let known: Outcome<Value> = try await known(request) {
                    if case .busy = known, let left = try await abandoned(request) { return .half(left) }
                    return .ended(known)
                }
                let (value, answer) = try await perform()
                guard let answer else { throw NotKept(value: value) }
                let isWhole = isWhole || !(200..<300).contains(answer.status)
                try await keep(answer, of: request, isWhole: isWhole)
                return isWhole ? .ended(.performed(value)) : .half(answer)
            }
        } catch let undone as NotKept<Value> {
            return .ended(.performed(undone.value))
        }
    }

    /// The half answer of one that died before it was whole; from now on it is the caller's to finish.
    private func abandoned(_ request: Request) async throws -> Answer? {
        let found = try await postgres.query(
            """
            UPDATE idempotency_keys SET unfinished_since = clock_timestamp()
            WHERE principal = \(request.principal) AND key = \(request.key) AND fingerprint = \(request.fingerprint)
              AND unfinished_since < clock_timestamp() - make_interval(secs => \(Self.finishLimit)::int)
              AND created_at > now() - interval '24 hours'
            RETURNING status, answer
            """
        )
        guard let (status, sealed) = try found.first?.decode(Int.self, PostgresBytes.self) else { return nil }
        return Answer(status: status, body: try sealer.open(sealed.bytes, for: binding(request, status)))
    }

    /// Writes the whole answer down, unless another one did: then it is that.
    private func conclude<Value: Sendable>(_ request: Request, _ whole: Answer) async throws -> Outcome<Value> {
        let sealed = PostgresBytes(try sealer.seal(whole.body, for: binding(request, whole.status)))
        let written = try await postgres.query(
            """
            UPDATE idempotency_keys SET status = \(whole.status), answer = \(sealed), unfinished_since = NULL
            WHERE principal = \(request.principal) AND key = \(request.key) AND fingerprint = \(request.fingerprint)
              AND unfinished_since IS NOT NULL
            RETURNING key
            """
        )
        guard written.first == nil else { return .finished(whole) }
        return try await known(request) ?? .finished(whole)
    }

    /// Rolls back on its way out.
    private struct NotKept<Value: Sendable>: Error {
        let value: Value
    }

    private func known<Value: Sendable>(_ request: Request) async throws -> Outcome<Value>? {
        let found = try await postgres.query(
            """
            SELECT fingerprint, status, answer, unfinished_since IS NOT NULL FROM idempotency_keys
            WHERE principal = \(request.principal) AND key = \(request.key) AND created_at > now() - interval '24 hours'
            """
        )
        guard let row = found.first else { return nil }
        let (fingerprint, status, sealed, isHalf) = try row.decode(
            PostgresBytes.self,
            Int.self,
            PostgresBytes.self,
            Bool.self
        )
        guard fingerprint == request.fingerprint else { return .differs }
        guard !isHalf else { return .busy }
        return .replayed(Answer(status: status, body: try sealer.open(sealed.bytes, for: binding(request, status))))
    }

    private func keep(_ answer: Answer, of request: Request, isWhole: Bool = true) async throws {
        let sealed = PostgresBytes(try sealer.seal(answer.body, for: binding(request, answer.status)))
        _ = try await postgres.query(
            """
            INSERT INTO idempotency_keys (principal, key, fingerprint, status, answer, unfinished_since)
            VALUES (\(request.principal), \(request.key), \(request.fingerprint), \(answer.status), \(sealed),
                    CASE WHEN NOT \(isWhole)::boolean THEN clock_timestamp() END)
            ON CONFLICT (principal, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
              answer = excluded.answer, unfinished_since = excluded.unfinished_since, created_at = now()
            """
        )
    }

    private func binding(_ request: Request, _ status: Int) -> String {
        "\(request.principal)\n\(request.key)\n\(status)"
    }
}
