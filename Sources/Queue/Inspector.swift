private import PostgresClient

/// How much work a queue has.
package struct QueueDepth: Sendable {
    package var ready = 0
    package var delayed = 0
    package var running = 0
    package var dead = 0
    /// Seconds that the oldest ready job has waited which a worker could take: not of a paused queue, and not of a tenant
    /// at its cap.
    package var oldestReady: Double?
    package var mode = QueueMode.open
    /// Ids that Redis holds as waiting or claimed; nil while Redis is away.
    package var inRedis: Int?

    /// A queue without work.
    package init() {}
}

/// The fleet at one moment.
package struct FleetView: Sendable {
    package let workers: Int
    package let queues: [String: QueueDepth]
    /// Jobs that died within the last 24 hours and are still dead, by kind.
    package let deaths: [String: Int]
}

/// A job, for people.
package struct JobView: Sendable {
    package let id: Int
    package let kind: String
    package let queue: String
    package let tenant: String
    package let state: String
    package let priority: Int
    package let attempt: Int
    package let failures: Int
    package let losses: Int
    package let maxAttempts: Int
    package let session: Int?
    package let payload: String
    package let uniqueKey: String?
    package let progress: String?
    package let error: String?
    package let deadReason: String?
    package let runAt: String
    package let createdAt: String
    package let claimedAt: String?
    package let finishedAt: String?
    /// The JSON that it answered.
    package let result: String?
    package let batch: Int?
    /// How many jobs it still waits for.
    package let blockedBy: Int
    /// Other jobs wait for its end.
    package let leads: Bool
    /// Attempts in a row that no worker could read.
    package let unreadable: Int
    /// Of its tenant's jobs with this key only so many run at once.
    package let concurrencyKey: String?
}

/// Looks into the queue without touching it: the ledger is asked, and Redis only for what it adds.
package struct Inspector: Sendable {
    let queue: JobQueue

    package init(_ queue: JobQueue) {
        self.queue = queue
    }

    package func fleet() async throws -> FleetView {
        let results = try await queue.postgres.pipeline([
            Ledger.depths,
            """
            SELECT count(*) FROM worker_sessions
            WHERE state IN ('live','draining') AND lease_until > clock_timestamp()
            """,
            "SELECT queue, mode FROM queue_settings",
            Ledger.deaths,
        ])
        var queues = Dictionary(uniqueKeysWithValues: queue.dispatch.queues.map { ($0, QueueDepth()) })
        for row in results[0] {
            let (name, state, delayed, count, age) = try row.decode(
                String.self,
                String.self,
                Bool.self,
                Int.self,
                Double?.self
            )
            var depth = queues[name] ?? QueueDepth()
            switch (state, delayed) {
            case ("queued", true): depth.delayed += count
            case ("queued", false):
                depth.ready += count
                depth.oldestReady = age
            case ("running", _): depth.running += count
            default: depth.dead += count
            }
            queues[name] = depth
        }
        for row in results[2] {
            let (name, mode) = try row.decode(String.self, QueueMode.self)
            queues[name, default: QueueDepth()].mode = mode
        }
        let workers = try results[1].first?.decode(Int.self) ?? 0
        let deaths = try results[3].map { row in try row.decode(String.self, Int.self) }
        return FleetView(
            workers: workers,
            queues: queues,
            deaths: Dictionary(uniqueKeysWithValues: deaths)
        )
    }

    /// The same, and beside it what Redis holds, so that drift is seen.
    package func fleetWithRedis() async throws -> FleetView {
        let fleet = try await fleet()
        var queues = fleet.queues
        for (name, depth) in await queue.dispatch.depths() { queues[name]?.inRedis = depth }
        return FleetView(workers: fleet.workers, queues: queues, deaths: fleet.deaths)
    }

    /// What to look for; nil fields match everything.
    package struct Filter: Sendable {
        package var queue: String?
        package var state: String?
        package var kind: String?
        package var tenant: String?
        package var limit: Int

        package init(
            queue: String? = nil,
            state: String? = nil,
            kind: String? = nil,
            tenant: String? = nil,
            limit: Int = 50
        ) {
            self.queue = queue
            self.state = state
            self.kind = kind
            self.tenant = tenant
            self.limit = limit
        }
    }

    /// Newest first.
    package func jobs(_ filter: Filter) async throws -> [JobView] {
        let result = try await queue.postgres.query(
            """
            SELECT \(clause: Self.columns) FROM jobs
            WHERE (\(filter.queue)::text IS NULL OR queue = \(filter.queue))
              AND (\(filter.state)::text IS NULL OR state = \(filter.state))
              AND (\(filter.kind)::text IS NULL OR kind = \(filter.kind))
              AND (\(filter.tenant)::text IS NULL OR tenant = \(filter.tenant))
            ORDER BY id DESC LIMIT \(filter.limit)
            """,
            timeout: .seconds(60)
        )
        return try result.map { row in try Self.job(row) }
    }

    package func job(_ id: Int) async throws -> JobView? {
        let result = try await queue.postgres.query("SELECT \(clause: Self.columns) FROM jobs WHERE id = \(id)")
        return try result.first.map { row in try Self.job(row) }
    }

    private static let columns: SQL = """
        id, kind, queue, tenant, state, priority, attempt, failures, losses, max_attempts, session, payload::text,
        coalesce(unique_key, waiting_key), \(clause: progress), error, dead_reason, \(clause: time("run_at")), \(clause: time("created_at")),
        \(clause: time("claimed_at")), \(clause: time("finished_at")), result::text, batch, blocked_by, leads, unreadable,
        concurrency_key
        """

    /// `45% reading page 9`
    private static let progress: SQL =
        "round((progress->>'done')::numeric * 100) || '%' || coalesce(' ' || nullif(progress->>'text', ''), '')"

    private static func time(_ column: String) -> SQL {
        SQL(trusted: "to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
    }

    private static func job(_ row: Row) throws -> JobView {
        let (
            id, kind, queue, tenant, state, priority, attempt, failures, losses, limit, session, payload, key,
            progress, error, reason, runAt, createdAt, claimedAt, finishedAt, result, batch, blockedBy, leads,
            unreadable, concurrencyKey
        ) = try row.decode(
            Int.self,
            String.self,
            String.self,
            String.self,
            String.self,
            Int.self,
            Int.self,
            Int.self,
            Int.self,
            Int.self,
            Int?.self,
            String.self,
            String?.self,
            String?.self,
            String?.self,
            String?.self,
            String.self,
            String.self,
            String?.self,
            String?.self,
            String?.self,
            Int?.self,
            Int.self,
            Bool.self,
            Int.self,
            String?.self
        )
        return JobView(
            id: id,
            kind: kind,
            queue: queue,
            tenant: tenant,
            state: state,
            priority: priority,
            attempt: attempt,
            failures: failures,
            losses: losses,
            maxAttempts: limit,
            session: session,
            payload: payload,
            uniqueKey: key,
            progress: progress,
            error: error,
            deadReason: reason,
            runAt: runAt,
            createdAt: createdAt,
            claimedAt: claimedAt,
            finishedAt: finishedAt,
            result: result,
            batch: batch,
            blockedBy: blockedBy,
            leads: leads,
            unreadable: unreadable,
            concurrencyKey: concurrencyKey
        )
    }
}
