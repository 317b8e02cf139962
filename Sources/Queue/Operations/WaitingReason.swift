private import PostgresClient
private import RedisClient

/// Why a waiting job does not run at this moment. The strings are for programs; ``WaitingJobView/text`` is for people.
package enum WaitingReason: String, Sendable, CaseIterable {
    /// It waits for other jobs.
    case blocked
    /// Its moment has not come: it was delayed, snoozed, or failed before.
    case delayed
    case paused
    /// No live worker serves its queue, or none knows its kind.
    case unserved
    /// Its tenant has as many jobs running as it may.
    case tenantCap = "tenant_cap"
    case queueCap = "queue_cap"
    /// As many jobs with its key run as may.
    case keyCap = "key_cap"
    /// Its tenant's, or its queue's starts per second.
    case rate
    /// Others are before it.
    case turn
    /// Nothing is in its way.
    case next
}

/// A waiting job's place.
package struct WaitingJobView: Sendable {
    package let reason: WaitingReason
    package let text: String
}

extension Inspector {
    /// Why the job does not run; nil where it does not wait.
    package func waitingReason(of job: JobView) async throws -> WaitingJobView? {
        let result = try await queue.postgres.query(Self.circumstances(of: job.id))
        guard let row = result.first else { return nil }
        let facts = try Circumstances(row, tenantIsThrottled: await isThrottled(job))
        return facts.view(of: job)
    }

    /// Redis alone knows who is over a rate at this moment.
    private func isThrottled(_ job: JobView) async -> Bool {
        let parked = queue.dispatch.keys.parked(job.queue)
        return (try? await queue.dispatch.redis.send(["HGET", parked, job.tenant]).string) == "r"
    }

    private static func circumstances(of id: Int) -> SQL {
        """
        SELECT j.blocked_by, extract(epoch FROM j.run_at - clock_timestamp())::float8,
               (SELECT string_agg(d.after::text, ', ' ORDER BY d.after) FROM (
                  SELECT after FROM job_dependencies WHERE job = j.id AND NOT ended ORDER BY after LIMIT 5) d),
               coalesce((SELECT mode = 'paused' FROM queue_settings WHERE queue = j.queue), false),
               EXISTS (SELECT 1 FROM worker_sessions WHERE state = 'live' AND lease_until > clock_timestamp()
                       AND j.queue = ANY (queues) AND j.kind = ANY (kinds)),
               (SELECT count(*) FROM jobs r WHERE r.state = 'running' AND r.queue = j.queue AND r.tenant = j.tenant),
               coalesce((SELECT concurrency FROM tenant_limits WHERE queue = j.queue AND tenant = j.tenant), 0),
               (SELECT count(*) FROM jobs r WHERE r.state = 'running' AND r.queue = j.queue),
               coalesce((SELECT concurrency FROM queue_caps WHERE queue = j.queue), 0),
               coalesce((SELECT rate FROM queue_caps WHERE queue = j.queue), 0)::float8,
               (SELECT count(*) FROM (
                  SELECT 1 FROM jobs b WHERE b.queue = j.queue AND b.state = 'queued' AND b.run_at <= clock_timestamp()
                    AND (b.priority, b.run_at, b.id) < (j.priority, j.run_at, j.id) LIMIT 10000) ahead),
               (SELECT count(*) FROM jobs r WHERE r.state = 'running' AND r.queue = j.queue AND r.tenant = j.tenant
                  AND r.concurrency_key = j.concurrency_key),
               coalesce(\(clause: Ledger.keyCap), 0)
        FROM jobs j WHERE j.id = \(id) AND j.state = 'queued'
        """
    }
}

/// What decides whether a waiting job may run.
private struct Circumstances {
    private let blockedBy: Int
    private let seconds: Double
    private let parents: String?
    private let isPaused: Bool
    private let isServed: Bool
    private let tenantRunning: Int
    private let tenantCap: Int
    private let queueRunning: Int
    private let queueCap: Int
    private let queueRate: Double
    private let ahead: Int
    private let keyRunning: Int
    private let keyCap: Int
    private let tenantIsThrottled: Bool

    init(_ row: Row, tenantIsThrottled: Bool) throws {
        (
            blockedBy, seconds, parents, isPaused, isServed, tenantRunning, tenantCap, queueRunning, queueCap,
            queueRate, ahead, keyRunning, keyCap
        ) = try row.decode(
            Int.self,
            Double.self,
            String?.self,
            Bool.self,
            Bool.self,
            Int.self,
            Int.self,
            Int.self,
            Int.self,
            Double.self,
            Int.self,
            Int.self,
            Int.self
        )
        self.tenantIsThrottled = tenantIsThrottled
    }

    /// The first thing that is in its way, in the order in which they would have to be mended.
    func view(of job: JobView) -> WaitingJobView {
        if blockedBy > 0 {
            return say(.blocked, "it waits for the end of \(blockedBy) jobs: \(parents ?? "?")")
        }
        if seconds > 0 { return say(.delayed, "its moment comes in \(Int(seconds.rounded(.up))) s") }
        if isPaused { return say(.paused, "the queue \(job.queue) is paused: `groundcrew resume \(job.queue)`") }
        if !isServed { return say(.unserved, "no live worker serves the queue \(job.queue) and knows \(job.kind)") }
        if tenantCap > 0, tenantRunning >= tenantCap {
            return say(
                .tenantCap,
                "its tenant has \(tenantRunning) jobs running in \(job.queue), and may have \(tenantCap)"
            )
        }
        if queueCap > 0, queueRunning >= queueCap {
            return say(.queueCap, "\(queueRunning) jobs run in \(job.queue), and \(queueCap) may")
        }
        if keyCap > 0, keyRunning >= keyCap {
            return say(.keyCap, "its key \(job.concurrencyKey ?? "?") has \(keyRunning) of \(keyCap) running")
        }
        if tenantIsThrottled { return say(.rate, "its tenant has started as many jobs as its rate allows") }
        if queueRate > 0, ahead > 0 { return say(.rate, "\(job.queue) starts at most \(queueRate) jobs a second") }
        guard ahead > 0 else { return say(.next, "nothing is in its way") }
        let count = ahead >= 10_000 ? "10,000 or more" : "\(ahead)"
        return say(.turn, "\(count) jobs of \(job.queue) are before it; tenants take turns")
    }

    private func say(_ reason: WaitingReason, _ text: String) -> WaitingJobView {
        WaitingJobView(reason: reason, text: text)
    }
}
