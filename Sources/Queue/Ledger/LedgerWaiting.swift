package import PostgresClient

/// A waiting row and where it stands in the order, for paging by key.
struct WaitingJob: Sendable {
    let hint: JobHint
    let runAt: String
}

/// What Redis is rebuilt and swept from.
extension Ledger {
    package func queueState() async throws(PostgresError) -> QueueState {
        let result = try await postgres.query("SELECT generation, redis_run_id FROM queue_state")
        guard let row = result.first else { throw PostgresError(.unexpectedResult, "queue_state has no row") }
        let (generation, runID) = try row.decode(Int.self, String?.self)
        return QueueState(generation: generation, redisRunID: runID)
    }

    func nextGeneration() async throws(PostgresError) -> Int {
        let result = try await postgres.query(
            "UPDATE queue_state SET generation = generation + 1, redis_run_id = NULL RETURNING generation"
        )
        guard let row = result.first else { throw PostgresError(.unexpectedResult, "queue_state has no row") }
        return try row.decode(Int.self)
    }

    func waitingQueues() async throws(PostgresError) -> [String] {
        try await postgres.query("SELECT DISTINCT queue FROM jobs WHERE state = 'queued'", timeout: .seconds(60))
            .map { row throws(PostgresError) in try row.decode(String.self) }
    }

    /// A page of a queue's waiting jobs in the order they should run.
    func waiting(in queue: String, after last: WaitingJob?, limit: Int) async throws(PostgresError) -> [WaitingJob] {
        let after: SQL =
            last.map {
                "AND (priority, run_at, id) > (\($0.hint.priority)::smallint, \($0.runAt)::timestamptz, \($0.hint.id)::bigint)"
            } ?? ""
        let result = try await postgres.query(
            """
            SELECT id, tenant, priority, run_at::text, CASE WHEN run_at > clock_timestamp()
                   THEN (extract(epoch FROM run_at) * 1000)::bigint ELSE 0 END, \(clause: Self.place)
            FROM jobs WHERE queue = \(queue) AND state = 'queued' AND run_at < blocked_until() \(clause: after)
            ORDER BY priority, run_at, id LIMIT \(limit)
            """,
            timeout: .seconds(60)
        )
        return try result.map { row throws(PostgresError) in
            let (id, tenant, priority, runAt, due, place) = try row.decode(
                Int.self,
                String.self,
                Int.self,
                String.self,
                Int.self,
                String?.self
            )
            let key = place.flatMap(ConcurrencyKey.init(ledger:))
            let hint = JobHint(id: id, queue: queue, tenant: tenant, priority: priority, due: due, key: key)
            return WaitingJob(hint: hint, runAt: runAt)
        }
    }

    func liveSessions() async throws(PostgresError) -> [Int] {
        try await postgres.query("SELECT id FROM worker_sessions WHERE state IN ('live','draining')")
            .map { row throws(PostgresError) in try row.decode(Int.self) }
    }

    /// Of these sessions, those that are over or were never there.
    func ended(of sessions: [Int]) async throws(PostgresError) -> Set<Int> {
        let live = try await postgres.query(
            "SELECT id FROM worker_sessions WHERE id = ANY(\(sessions)::bigint[]) AND state IN ('live','draining')"
        ).map { row throws(PostgresError) in try row.decode(Int.self) }
        return Set(sessions).subtracting(live)
    }

    func running(under sessions: [Int]) async throws(PostgresError) -> [Int: [JobHint]] {
        let result = try await postgres.query(
            """
            SELECT session, id, queue, tenant, priority, \(clause: Self.place) FROM jobs
            WHERE state = 'running' AND session = ANY(\(sessions)::bigint[])
            """
        )
        var jobs: [Int: [JobHint]] = [:]
        for row in result {
            let (session, id, queue, tenant, priority, place) = try row.decode(
                Int.self,
                Int.self,
                String.self,
                String.self,
                Int.self,
                String?.self
            )
            let key = place.flatMap(ConcurrencyKey.init(ledger:))
            let hint = JobHint(id: id, queue: queue, tenant: tenant, priority: priority, due: 0, key: key)
            jobs[session, default: []].append(hint)
        }
        return jobs
    }
}
