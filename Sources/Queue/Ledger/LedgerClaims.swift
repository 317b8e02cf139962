package import PostgresClient

/// Claiming: from here on the session's lease covers the job, and `attempt` fences it.
extension Ledger {
    /// Claims the ids that Redis handed out. An id that does not come back is a ghost: done, claimed or gone already.
    ///
    /// Of suspects only one at a time: they would all be booked under a worker that the first one kills.
    ///
    /// Refused as a whole when the session is not live any more: a process that slept past its lease claims nothing.
    package static func claim(_ ids: [Int], session: Int) -> SQL {
        """
        UPDATE jobs SET state = 'running', attempt = attempt + 1, session = \(session), claimed_at = clock_timestamp()
        WHERE id = ANY(\(ids)::bigint[]) AND state = 'queued' AND run_at <= clock_timestamp() + interval '1 second'
          AND (losses < \(Reaper.suspectFrom) OR id = (SELECT min(id) FROM jobs
                 WHERE id = ANY(\(ids)::bigint[]) AND state = 'queued' AND losses >= \(Reaper.suspectFrom)
                   AND run_at <= clock_timestamp() + interval '1 second'))
          AND EXISTS (SELECT 1 FROM worker_sessions WHERE id = \(session) AND state = 'live')
        \(clause: returningClaims)
        """
    }

    /// Claims straight from the ledger, for when Redis is away. Workers never wait for each other's rows.
    ///
    /// Order is by priority and age; fairness over tenants and caps need Redis.
    package static func claimWithoutRedis(queues: [String], limit: Int, session: Int) -> SQL {
        """
        WITH picked AS MATERIALIZED (SELECT j.id, j.losses FROM (SELECT name FROM unnest(\(queues)::text[]) AS asked(name)
                       WHERE name NOT IN (SELECT queue FROM queue_settings WHERE mode = 'paused')) q
                     CROSS JOIN LATERAL (SELECT id, priority, run_at, losses FROM jobs
                       WHERE queue = q.name AND state = 'queued' AND run_at <= clock_timestamp()
                       ORDER BY priority, run_at, id LIMIT \(limit) FOR UPDATE SKIP LOCKED) j
                     ORDER BY j.priority, j.run_at, j.id LIMIT \(limit))
        UPDATE jobs SET state = 'running', attempt = attempt + 1, session = \(session), claimed_at = clock_timestamp()
        WHERE id IN (SELECT id FROM picked WHERE losses < \(Reaper.suspectFrom)
                     UNION ALL SELECT min(id) FROM picked WHERE losses >= \(Reaper.suspectFrom)) AND state = 'queued'
          AND EXISTS (SELECT 1 FROM worker_sessions WHERE id = \(session) AND state = 'live')
        \(clause: returningClaims)
        """
    }

    /// How a statement that claims must end, so that ``claimed(_:)`` can read it.
    package static let returningClaims: SQL = """
        RETURNING id, attempt, kind, payload, queue, tenant, failures, max_attempts, losses, unreadable,
                  batch IS NOT NULL OR leads
        """

    package static func claimed(_ result: PostgresResult) throws(PostgresError) -> [ClaimedJob] {
        var jobs: [ClaimedJob] = []
        jobs.reserveCapacity(result.count)
        for row in result {
            let (id, attempt, kind, payload, queue, tenant, failures, maxAttempts, losses, unreadable, followers) =
                try row.decode(
                    Int.self,
                    Int.self,
                    String.self,
                    String.self,
                    String.self,
                    String.self,
                    Int.self,
                    Int.self,
                    Int.self,
                    Int.self,
                    Bool.self
                )
            jobs.append(
                ClaimedJob(
                    id: id,
                    attempt: attempt,
                    kind: kind,
                    payload: payload,
                    queue: queue,
                    tenant: tenant,
                    failures: failures,
                    maxAttempts: maxAttempts,
                    losses: losses,
                    unreadable: unreadable,
                    hasFollowers: followers
                )
            )
        }
        return jobs
    }

    /// Of ids that could not be claimed, those that wait for a later moment: Redis gave them out too early.
    package func notYetDue(_ ids: [Int]) async throws(PostgresError) -> [JobHint] {
        try Self.hints(
            await postgres.query(
                """
                SELECT id, queue, tenant, priority, (extract(epoch FROM run_at) * 1000)::bigint, \(clause: Self.place)
                FROM jobs WHERE id = ANY(\(ids)::bigint[]) AND state = 'queued'
                """
            )
        )
    }
}
