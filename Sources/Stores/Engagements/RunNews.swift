package import Domain
package import PostgresClient

/// One row of a run's events.
package struct StoredEvent: Sendable, Equatable {
    package let run: Run.ID
    /// 1, 2, 3 … within the run, without a gap.
    package let seq: Int
    /// `status`, `cost`, `log` or `task_complete`.
    package let type: String
    /// The members that belong to the type.
    package let data: JSON
    package let at: Timestamp
}

/// How far a run's events go.
package struct RunTip: Sendable, Equatable {
    package let run: Run.ID
    package let status: Run.Status
    package let lastSeq: Int

    /// No event will follow its last one.
    package var isOver: Bool { status == .completed || status == .failed }
}

/// What a live stream may begin with.
package struct StreamStart: Sendable {
    package let status: Engagement.Status
    package let latest: RunTip?
    /// The run that was asked for, if it is one of this engagement's.
    package let asked: RunTip?
    package let now: Timestamp
}

/// What has happened to the things that live streams follow.
package struct RunNews: Sendable {
    /// The first run of each engagement that is still there; nil where it has none yet.
    package let firstRuns: [Engagement.ID: Run.ID?]
    /// The runs that are still there.
    package let tips: [Run.ID: RunTip]
    /// In order within each run.
    package let events: [StoredEvent]
}

/// Events as live streams read them (contract E-45 to E-49).
extension RunStore {
    /// Nil where the tenant has no such engagement.
    ///
    /// - Parameter asked: the run of which the caller has had a part.
    package func streamStart(
        _ id: Engagement.ID,
        _ tenant: Tenant.ID,
        asked: Run.ID?
    ) async throws(PostgresError) -> StreamStart? {
        let found = try await postgres.query(
            """
            SELECT e.status, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
                   l.id, l.status, l.last_seq, a.id, a.status, a.last_seq
            FROM engagements e
            LEFT JOIN LATERAL (
              SELECT id, status, last_seq FROM runs WHERE engagement_id = e.id
              ORDER BY started_at DESC, id DESC LIMIT 1) l ON true
            LEFT JOIN runs a ON a.id = \(asked) AND a.engagement_id = e.id
            WHERE e.id = \(id) AND e.tenant_id = \(tenant)
            """
        )
        guard let row = found.first else { return nil }
        let (status, now, latest, latestStatus, latestSeq, run, runStatus, runSeq) = try row.decode(
            Engagement.Status.self,
            Timestamp.self,
            Run.ID?.self,
            Run.Status?.self,
            Int?.self,
            Run.ID?.self,
            Run.Status?.self,
            Int?.self
        )
        return StreamStart(
            status: status,
            latest: Self.tip(latest, latestStatus, latestSeq),
            asked: Self.tip(run, runStatus, runSeq),
            now: now
        )
    }

    private static func tip(_ run: Run.ID?, _ status: Run.Status?, _ seq: Int?) -> RunTip? {
        guard let run, let status, let seq else { return nil }
        return RunTip(run: run, status: status, lastSeq: seq)
    }

    /// A run's events after `seq`, in order. The caller has checked whose run it is.
    ///
    /// - Parameter limit: how many at most.
    package func events(of run: Run.ID, after seq: Int, limit: Int) async throws(PostgresError) -> [StoredEvent] {
        try await postgres.query(Self.selectEvents([run], after: [seq], limit: limit))
            .map { row throws(PostgresError) in try Self.event(row) }
    }

    /// What happened to many runs and engagements, in one round trip. The caller has checked whose they are.
    ///
    /// - Parameters:
    ///   - runs: with the number of the last event that is known of each.
    ///   - engagements: those that wait for their first run.
    ///   - limit: events of each run at most.
    package func news(
        of runs: [Run.ID: Int],
        startsOf engagements: [Engagement.ID],
        limit: Int
    ) async throws(PostgresError) -> RunNews {
        let known = Array(runs)
        // The tips first: what they promise is there when the events are read.
        let results = try await postgres.pipeline([
            Self.selectFirstRuns(of: engagements),
            "SELECT id, status, last_seq FROM runs WHERE id = ANY(\(known.map(\.key.rawValue))::text[])",
            Self.selectEvents(known.map(\.key), after: known.map(\.value), limit: limit),
        ])
        var firstRuns: [Engagement.ID: Run.ID?] = [:]
        for row in results[0] {
            let (engagement, run) = try row.decode(Engagement.ID.self, Run.ID?.self)
            firstRuns.updateValue(run, forKey: engagement)
        }
        var tips: [Run.ID: RunTip] = [:]
        for row in results[1] {
            let (run, status, seq) = try row.decode(Run.ID.self, Run.Status.self, Int.self)
            tips[run] = RunTip(run: run, status: status, lastSeq: seq)
        }
        let events = try results[2].map { row throws(PostgresError) in try Self.event(row) }
        return RunNews(firstRuns: firstRuns, tips: tips, events: events)
    }

    private static func selectFirstRuns(of engagements: [Engagement.ID]) -> SQL {
        """
        SELECT e.id, r.id FROM engagements e LEFT JOIN LATERAL (
          SELECT id FROM runs WHERE engagement_id = e.id ORDER BY started_at, id LIMIT 1) r ON true
        WHERE e.id = ANY(\(engagements.map(\.rawValue))::text[])
        """
    }

    private static func selectEvents(_ runs: [Run.ID], after: [Int], limit: Int) -> SQL {
        """
        SELECT v.run_id, v.seq, v.type, v.data, (extract(epoch FROM v.created_at) * 1000000)::bigint
        FROM unnest(\(runs.map(\.rawValue))::text[], \(after)::bigint[]) WITH ORDINALITY AS w(run, seq, no)
        CROSS JOIN LATERAL (
          SELECT run_id, seq, type, data, created_at FROM run_events
          WHERE run_id = w.run AND seq > w.seq ORDER BY seq LIMIT \(limit)) v
        ORDER BY w.no, v.seq
        """
    }

    private static func event(_ row: Row) throws(PostgresError) -> StoredEvent {
        let (run, seq, type, data, at) = try row.decode(
            Run.ID.self,
            Int.self,
            String.self,
            JSON.self,
            Timestamp.self
        )
        return StoredEvent(run: run, seq: seq, type: type, data: data, at: at)
    }
}
