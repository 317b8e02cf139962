private import PostgresClient

/// The processes: who is there, who was heard, who can read what waits.
extension Doctor {
    func scheduler() async throws -> [Finding] {
        let result = try await queue.postgres.query(
            """
            SELECT host, pid, lease_until > clock_timestamp(),
                   extract(epoch FROM clock_timestamp() - greatest(active_since, lease_until))::float8
            FROM scheduler_state
            """
        )
        guard let row = result.first else { return [Self.noScheduler("no scheduler was ever active")] }
        let (host, processID, active, silent) = try row.decode(String.self, Int.self, Bool.self, Double.self)
        guard !active else { return [.ok("scheduler", "the scheduler on \(host), pid \(processID), is active")] }
        return [Self.noScheduler("no scheduler is active since \(Self.seconds(silent))")]
    }

    private static func noScheduler(_ what: String) -> Finding {
        .bad(
            "scheduler",
            what,
            why: "nobody ends lost sessions, sweeps what Redis missed, refreshes caps or prunes",
            remedy: "Start `groundcrew scheduler`, better two of them."
        )
    }

    /// A worker as its last heartbeat left it.
    private struct Session {
        let id: Int
        let place: String
        let silent: Double
        let lease: Double
        let overdue: Double
    }

    func workers() async throws -> [Finding] {
        let result = try await queue.postgres.query(
            """
            SELECT id, host || ', pid ' || pid, extract(epoch FROM clock_timestamp() - renewed_at)::float8,
                   extract(epoch FROM lease_until - renewed_at)::float8,
                   extract(epoch FROM clock_timestamp() - lease_until)::float8
            FROM worker_sessions WHERE state IN ('live','draining') ORDER BY id
            """
        )
        let sessions = try result.map { row in
            let (id, place, silent, lease, overdue) = try row.decode(
                Int.self,
                String.self,
                Double.self,
                Double.self,
                Double.self
            )
            return Session(id: id, place: place, silent: silent, lease: lease, overdue: overdue)
        }
        guard !sessions.isEmpty else { return [try await noWorkers()] }
        let odd = sessions.compactMap(Self.finding)
        return odd.isEmpty ? [.ok("workers", "\(sessions.count) worker sessions, all heard in time")] : odd
    }

    private static func finding(_ session: Session) -> Finding? {
        if session.overdue > 5 {
            return .bad(
                "workers.lease",
                "session \(session.id) (\(session.place)) is over since \(seconds(session.overdue)) and was not ended",
                why: "its jobs wait for that",
                remedy: "This is a scheduler's work: see that one is active, and look at its log."
            )
        }
        guard session.silent > session.lease * 0.6 else { return nil }
        return .warn(
            "workers.heartbeat",
            "session \(session.id) (\(session.place)) was last heard \(seconds(session.silent)) ago",
            why: "it loses its jobs when its lease of \(seconds(session.lease)) ends",
            remedy: "Is the process stopped, or its machine or network overloaded?"
        )
    }

    private func noWorkers() async throws -> Finding {
        let waiting = try await queue.postgres.query(
            "SELECT 1 FROM jobs WHERE state = 'queued' AND run_at <= clock_timestamp() LIMIT 1"
        ).first
        let remedy = "Start `groundcrew worker`."
        return waiting == nil
            ? .warn("workers", "there is no worker", why: "new jobs will wait", remedy: remedy)
            : .bad("workers", "there is no worker, and jobs are ready", why: "nothing runs", remedy: remedy)
    }

    /// Work that no live worker will take: of another version, or of a queue that nobody serves.
    func kinds() async throws -> [Finding] {
        let result = try await queue.postgres.query(
            """
            WITH live AS (SELECT queues, kinds FROM worker_sessions
                          WHERE state = 'live' AND lease_until > clock_timestamp())
            SELECT w.queue, w.kind, w.jobs, EXISTS (SELECT 1 FROM live WHERE w.queue = ANY (live.queues))
            FROM (SELECT queue, kind, count(*) AS jobs FROM jobs
                  WHERE state = 'queued' AND run_at <= clock_timestamp() GROUP BY 1, 2) w
            WHERE EXISTS (SELECT 1 FROM live) AND NOT EXISTS (
              SELECT 1 FROM live WHERE w.queue = ANY (live.queues) AND w.kind = ANY (live.kinds))
            ORDER BY w.jobs DESC LIMIT 20
            """,
            timeout: .seconds(60)
        )
        return try result.map { row in
            let (name, kind, jobs, served) = try row.decode(String.self, String.self, Int.self, Bool.self)
            return .bad(
                "workers.kinds",
                served
                    ? "no live worker can read \(kind) (\(jobs) ready in \(name))"
                    : "no live worker serves the queue \(name) (\(jobs) ready)",
                why: "they wait; jobs that no worker can read are dead after about an hour of trying",
                remedy: served
                    ? "Start workers of the release that enqueues it." : "Start `groundcrew worker --queues \(name)`."
            )
        }
    }
}
