import Foundation
import PostgresClient
import Queue
import RedisClient
import Synchronization

/// One invariant and what the history says of it.
struct Finding: Sendable {
    let name: String
    let formula: String
    let count: Int
    let holds: Bool
    /// A broken promise; the others say that the storm was too mild, or count something.
    var isPromise = true

    /// - Parameter invariant: `I1` to `I12`.
    func isOf(_ invariant: String) -> Bool { name.hasPrefix(invariant + " ") }
}

/// How long jobs of a killed or frozen worker waited for their next claim, in seconds.
struct Recovery: Sendable {
    let jobs: Int
    let median: Double
    let p99: Double
    let longest: Double

    /// Longer than this nobody may wait, whatever else was harmed meanwhile.
    func finding(limit: Double) -> Finding {
        Finding(
            name: "I5 the jobs of a killed worker are claimed again",
            formula: "longest ≤ \(Int(limit)) s",
            count: Int(longest.rounded(.up)),
            holds: longest <= limit
        )
    }
}

/// Judges a storm by what Postgres and Redis hold afterwards.
struct Checker: Sendable {
    let sea: Sea
    let progress: Progress

    func findings(refused: Int, poisoned: (fed: Int, wrong: Int)?) async throws -> [Finding] {
        try await recordHistory()
        let state = progress.state.withLock { $0 }
        let effects = try await sea.number("SELECT count(DISTINCT key) FROM probe_effects")
        let lost = try await count(Self.lost)
        var findings = [
            Finding(name: "I1 none lost", formula: "acknowledged − effects = ∅", count: lost, holds: lost == 0),
            zero("I2 none double", "an effect is committed once at most", try await count(Self.doubled)),
            zero(
                "I3 nothing unexpected",
                "effects − attempted = ∅",
                try await count("SELECT count(*) FROM probe_effects WHERE key::bigint >= \(state.nextKey)")
            ),
            Finding(
                name: "I4 unknown outcomes that happened",
                formula: "effects − acknowledged",
                count: effects - state.acknowledgedCount + lost,
                holds: true,
                isPromise: false
            ),
            zero("I5 none stuck", "jobs and runs that did not end", try await count(Self.stuck)),
            Finding(
                name: "I6 zombie commits refused",
                formula: "> 0, or nothing was tried",
                count: refused,
                holds: refused > 0,
                isPromise: false
            ),
            zero("I7 attempts rise, claims never overlap", "claims of one job", try await count(Self.overlaps)),
        ]
        if progress.plan.runs {
            findings += [
                zero("I8 one run per engagement at a time", "overlapping runs", try await count(Self.twoRuns)),
                zero("I11 events without a gap", "runs whose events have one", try await count(Self.gaps)),
            ]
        }
        let left = await countersLeft()
        findings.append(zero("I10 Redis counts as the ledger does", "ids held, known or counted too many", left))
        if let poisoned {
            let name = "I12 poison dies at its third kill (\(poisoned.fed) fed)"
            findings.append(zero(name, "fed jobs that did not, or took others along", poisoned.wrong))
        }
        return findings
    }

    private func zero(_ name: String, _ formula: String, _ count: Int) -> Finding {
        Finding(name: name, formula: formula, count: count, holds: count == 0)
    }

    private func count(_ sql: SQL) async throws -> Int { try await sea.number(sql) }

    private func recordHistory() async throws {
        let state = progress.state.withLock { $0 }
        for from in stride(from: 0, to: state.acknowledged.count, by: 5000) {
            let page = state.acknowledged[from..<min(from + 5000, state.acknowledged.count)]
            _ = try await sea.postgres.query(
                """
                INSERT INTO chaos_acknowledged
                SELECT * FROM unnest(\(page.map(\.lowerBound))::bigint[], \(page.map(\.upperBound))::bigint[])
                """
            )
        }
        let seconds = state.faults.map { Int($0.at.timeIntervalSince1970 * 1000) }
        _ = try await sea.postgres.query(
            """
            INSERT INTO chaos_faults SELECT to_timestamp(at / 1000.0), kind, pid
            FROM unnest(\(seconds)::bigint[], \(state.faults.map(\.kind))::text[],
                        \(state.faults.map(\.processID))::int[]) AS f(at, kind, pid)
            """
        )
        _ = try await sea.postgres.query("CREATE INDEX ON chaos_history (job, seq)", timeout: .seconds(300))
        _ = try await sea.postgres.query("CREATE INDEX ON chaos_history (before) WHERE state = 'queued'")
        _ = try await sea.postgres.query("ANALYZE", timeout: .seconds(300))
    }

    private static let lost: SQL = """
        SELECT count(*) FROM chaos_acknowledged, generate_series(low, high) AS key
        WHERE NOT EXISTS (SELECT 1 FROM probe_effects e WHERE e.key = key.key::text)
        """

    private static let doubled: SQL =
        "SELECT count(*) FROM (SELECT 1 FROM probe_effects GROUP BY key HAVING count(*) > 1) twice"

    private static let stuck: SQL = """
        SELECT (SELECT count(*) FROM jobs WHERE state = 'queued') + (SELECT count(*) FROM jobs WHERE state = 'running')
             + (SELECT count(*) FROM runs WHERE status NOT IN ('completed','failed'))
        """

    private static let overlaps: SQL = """
        SELECT count(*) FROM (
          SELECT was, attempt, lag(attempt) OVER (PARTITION BY job ORDER BY seq) AS earlier
          FROM chaos_history WHERE state = 'running') claims
        WHERE was <> 'queued' OR attempt <= earlier
        """

    private static let twoRuns: SQL = """
        SELECT count(*) FROM runs a JOIN runs b ON a.engagement_id = b.engagement_id AND a.id < b.id
        WHERE tstzrange(a.started_at, a.finished_at) && tstzrange(b.started_at, b.finished_at)
        """

    private static let gaps: SQL = """
        SELECT count(*) FROM runs r WHERE last_seq <> (SELECT count(*) FROM run_events WHERE run_id = r.id)
           OR last_seq <> (SELECT coalesce(max(seq), 0) FROM run_events WHERE run_id = r.id)
        """

    /// What Redis still counts although nothing is left to do; ghosts get half a minute to be found out.
    private func countersLeft() async -> Int {
        let deadline = ContinuousClock.now + .seconds(progress.plan.mutant == nil ? 30 : 1)
        var left = await counters()
        while left != 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(200))
            left = await counters()
        }
        return left
    }

    private func counters() async -> Int {
        var sum = 0
        for queue in Sea.queues {
            let prefix = "{\(sea.namespace):\(queue)}"
            let replies = await sea.redis.pipeline(
                [["HGET", prefix + ":m", "active"], ["HLEN", prefix + ":b"], ["HVALS", prefix + ":ta"]],
                timeout: nil
            )
            for reply in replies {
                guard let value = try? reply.get() else { return -1 }
                sum += abs(value.integer ?? 0) + (value.array ?? []).reduce(0) { $0 + abs($1.integer ?? 0) }
            }
        }
        return sum
    }

    /// Jobs that are dead, and why, for whoever has to find out.
    func burials() async throws -> [String] {
        try await sea.postgres.query(
            """
            SELECT dead_reason || ', attempt ' || attempt || ', losses ' || losses || ', key '
                   || coalesce(payload->>'key', '?') || ', created ' || created_at::time(3) || ', ended '
                   || finished_at::time(3) || ': ' || coalesce(error, '')
            FROM jobs WHERE state = 'dead' ORDER BY finished_at LIMIT 20
            """
        ).map { try $0.decode(String.self) }
    }

    func recovery() async throws -> Recovery {
        let result = try await sea.postgres.query(
            """
            WITH waits AS (
              SELECT extract(epoch FROM min(c.at) - f.at)::float8 AS wait
              FROM chaos_faults f JOIN worker_sessions s ON s.pid = f.pid
              JOIN chaos_history b ON b.before = s.id AND b.was = 'running' AND b.state = 'queued'
                                   AND b.at BETWEEN f.at AND f.at + interval '60 seconds'
              JOIN chaos_history c ON c.job = b.job AND c.seq > b.seq AND c.state = 'running'
              -- Jobs with a key wait for its places too, of which the sink's endpoint has two; and while more is produced
              -- than can be done, less urgent jobs wait for the others of their tenant, by design.
              JOIN jobs j ON j.id = b.job AND j.concurrency_key IS NULL AND j.priority < 5
              WHERE f.kind LIKE 'worker: kill%' AND s.state = 'expired'
              GROUP BY f.at, b.seq)
            SELECT count(*), coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY wait), 0),
                   coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY wait), 0), coalesce(max(wait), 0) FROM waits
            """,
            timeout: .seconds(300)
        )
        guard let row = result.first else { return Recovery(jobs: 0, median: 0, p99: 0, longest: 0) }
        let (jobs, median, p99, longest) = try row.decode(Int.self, Double.self, Double.self, Double.self)
        return Recovery(jobs: jobs, median: median, p99: p99, longest: longest)
    }
}
