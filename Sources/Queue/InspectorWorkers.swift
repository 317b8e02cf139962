private import PostgresClient

/// A job in a worker's slot, for people.
package struct SlotView: Sendable {
    package let job: Int
    package let kind: String
    package let queue: String
    package let tenant: String
    package let attempt: Int
    /// Seconds since this attempt was claimed.
    package let seconds: Double
    package let progress: String?
    package let cancelRequested: Bool
}

/// A worker session, for people.
package struct WorkerView: Sendable {
    package let session: Int
    package let state: String
    package let host: String
    package let processID: Int
    package let version: String
    package let queues: [String]
    package let slots: Int
    /// Jobs that the ledger books under the session.
    package let running: Int
    package let leaseSeconds: Double
    package let upSeconds: Double
    /// Seconds since its last heartbeat.
    package let heardSeconds: Double
    /// What it does now, longest first; at most 1,000 over all workers.
    package let now: [SlotView]
}

extension Inspector {
    /// Sessions that are open, and those that ended within the last ten minutes.
    package func workers() async throws -> [WorkerView] {
        let results = try await queue.postgres.pipeline([
            """
            SELECT s.id, s.state, s.host, s.pid, s.version, s.queues, s.slots,
                   (SELECT count(*) FROM jobs WHERE session = s.id AND state = 'running'),
                   extract(epoch FROM s.lease_until - clock_timestamp())::float8,
                   extract(epoch FROM coalesce(s.ended_at, clock_timestamp()) - s.started_at)::float8,
                   extract(epoch FROM clock_timestamp() - s.renewed_at)::float8
            FROM worker_sessions s
            WHERE s.state IN ('live','draining') OR s.ended_at > clock_timestamp() - interval '10 minutes'
            ORDER BY s.id
            """,
            """
            SELECT session, id, kind, queue, tenant, attempt, extract(epoch FROM clock_timestamp() - claimed_at)::float8,
                   progress->>'text', cancel_requested
            FROM jobs WHERE state = 'running' AND session IS NOT NULL ORDER BY claimed_at LIMIT 1000
            """,
        ])
        var slots: [Int: [SlotView]] = [:]
        for row in results[1] {
            let (session, slot) = try Self.slot(row)
            slots[session, default: []].append(slot)
        }
        return try results[0].map { row in try Self.worker(row, slots) }
    }

    private static func slot(_ row: Row) throws -> (Int, SlotView) {
        let (session, id, kind, queue, tenant, attempt, seconds, progress, cancelRequested) = try row.decode(
            Int.self,
            Int.self,
            String.self,
            String.self,
            String.self,
            Int.self,
            Double.self,
            String?.self,
            Bool.self
        )
        let slot = SlotView(
            job: id,
            kind: kind,
            queue: queue,
            tenant: tenant,
            attempt: attempt,
            seconds: seconds,
            progress: progress,
            cancelRequested: cancelRequested
        )
        return (session, slot)
    }

    private static func worker(_ row: Row, _ slots: [Int: [SlotView]]) throws -> WorkerView {
        let (id, state, host, processID, version, queues, places, running, lease, up, heard) = try row.decode(
            Int.self,
            String.self,
            String.self,
            Int.self,
            String.self,
            [String].self,
            Int.self,
            Int.self,
            Double.self,
            Double.self,
            Double.self
        )
        return WorkerView(
            session: id,
            state: state,
            host: host,
            processID: processID,
            version: version,
            queues: queues,
            slots: places,
            running: running,
            leaseSeconds: lease,
            upSeconds: up,
            heardSeconds: heard,
            now: slots[id] ?? []
        )
    }
}
