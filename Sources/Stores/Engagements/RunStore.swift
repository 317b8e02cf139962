package import Domain
package import PostgresClient

/// A run as callers see it.
package struct RunRow: Sendable {
    package let id: Run.ID
    package let status: Run.Status
    package let startedAt: Timestamp
    package let finishedAt: Timestamp?
    package let spent: NanoUSD
    package let inputTokens: Int
    package let outputTokens: Int
    package let error: String?
    package let pauseSnapshot: JSON?
}

/// One version of a document.
package struct DeliverableRow: Sendable {
    package let id: Deliverable.ID
    package let task: String
    package let filename: String
    package let content: String
    package let version: Int
    package let wordCount: Int
    package let createdAt: Timestamp
}

/// Where an engagement's latest run stands.
package struct RunStatus: Sendable {
    package let engagement: Engagement.Status
    package let budget: NanoUSD
    package let spent: NanoUSD
    package let steps: Int
    package let error: String?
}

/// A page of a run's log.
package struct LogPage: Sendable {
    package let lines: [String]
    package let total: Int
    package let status: Engagement.Status
}

/// Runs as callers read them. What the engine writes is in ``RunLedger``.
package struct RunStore: Sendable {
    let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    // MARK: Start

    package enum Start: Sendable {
        case started(Run.ID)
        case notFound
        case noSubscription
        case alreadyRunning
        case paused
    }

    /// The first half of starting a run: who may, and the run's rows. The caller adds the job to the same transaction.
    ///
    /// Of any number of callers at once, exactly one gets ``Start/started(_:)``.
    package func start(
        _ id: Engagement.ID,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> Start {
        let locked = try await transaction.query(
            "SELECT status, budget_nanos FROM engagements WHERE id = \(id) AND tenant_id = \(caller.tenant) FOR NO KEY UPDATE"
        )
        guard let row = locked.first else { return .notFound }
        let (status, budget) = try row.decode(Engagement.Status.self, NanoUSD.self)
        let plan = try await transaction.query("SELECT 1 FROM entitlements WHERE tenant_id = \(caller.tenant)")
        guard plan.first != nil else { return .noSubscription }
        switch status {
        case .running: return .alreadyRunning
        case .paused: return .paused
        case .pending, .completed, .failed: break
        }
        let run = Run.ID.make()
        _ = try await transaction.pipeline([
            "UPDATE engagements SET status = 'running', updated_at = now() WHERE id = \(id)",
            """
            INSERT INTO runs (id, tenant_id, engagement_id, started_by, budget_nanos)
            VALUES (\(run), \(caller.tenant), \(id), \(caller.user), \(budget)::bigint)
            """,
            RunLedger.append([.status(.running)], to: run),
        ])
        return .started(run)
    }

    // MARK: Read

    static func selectRuns(of id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        """
        SELECT id, status, (extract(epoch FROM started_at) * 1000000)::bigint,
               (extract(epoch FROM finished_at) * 1000000)::bigint, spent_nanos, input_tokens, output_tokens, error,
               pause_snapshot
        FROM runs WHERE engagement_id = \(id) AND tenant_id = \(tenant) ORDER BY started_at DESC, id DESC
        """
    }

    static func run(_ row: Row) throws(PostgresError) -> RunRow {
        let (id, status, startedAt, finishedAt, spent, input, output, error, snapshot) = try row.decode(
            Run.ID.self,
            Run.Status.self,
            Timestamp.self,
            Timestamp?.self,
            NanoUSD.self,
            Int.self,
            Int.self,
            String?.self,
            JSON?.self
        )
        return RunRow(
            id: id,
            status: status,
            startedAt: startedAt,
            finishedAt: finishedAt,
            spent: spent,
            inputTokens: input,
            outputTokens: output,
            error: error,
            pauseSnapshot: snapshot
        )
    }

    static func selectDeliverables(of id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        """
        SELECT id, task_id, filename, content, version, word_count, (extract(epoch FROM created_at) * 1000000)::bigint
        FROM deliverables WHERE engagement_id = \(id) AND tenant_id = \(tenant) ORDER BY created_at DESC, id DESC
        """
    }

    static func deliverable(_ row: Row) throws(PostgresError) -> DeliverableRow {
        let (id, task, filename, content, version, words, createdAt) = try row.decode(
            Deliverable.ID.self,
            String.self,
            String.self,
            String.self,
            Int.self,
            Int.self,
            Timestamp.self
        )
        return DeliverableRow(
            id: id,
            task: task,
            filename: filename,
            content: content,
            version: version,
            wordCount: words,
            createdAt: createdAt
        )
    }

    /// Nil where the tenant has no such engagement.
    package func status(_ id: Engagement.ID, _ tenant: Tenant.ID) async throws(PostgresError) -> RunStatus? {
        let result = try await postgres.query(
            """
            SELECT e.status, e.budget_nanos, coalesce(r.spent_nanos, 0), coalesce(r.steps, 0), r.error
            FROM engagements e LEFT JOIN LATERAL (
              SELECT spent_nanos, steps, error FROM runs WHERE engagement_id = e.id
              ORDER BY started_at DESC, id DESC LIMIT 1) r ON true
            WHERE e.id = \(id) AND e.tenant_id = \(tenant)
            """
        )
        guard let row = result.first else { return nil }
        let (status, budget, spent, steps, error) = try row.decode(
            Engagement.Status.self,
            NanoUSD.self,
            NanoUSD.self,
            Int.self,
            String?.self
        )
        return RunStatus(engagement: status, budget: budget, spent: spent, steps: steps, error: error)
    }

    /// At most 1,000 lines of the latest run's log after the first `offset`; nil where the tenant has no such engagement.
    package func logs(
        _ id: Engagement.ID,
        _ tenant: Tenant.ID,
        offset: Int
    ) async throws(PostgresError) -> LogPage? {
        let head = try await postgres.query(
            """
            SELECT e.status, r.id, coalesce(r.log_count, 0)
            FROM engagements e LEFT JOIN LATERAL (
              SELECT id, log_count FROM runs WHERE engagement_id = e.id ORDER BY started_at DESC, id DESC LIMIT 1) r ON true
            WHERE e.id = \(id) AND e.tenant_id = \(tenant)
            """
        )
        guard let row = head.first else { return nil }
        let (status, run, total) = try row.decode(Engagement.Status.self, Run.ID?.self, Int.self)
        guard let run, offset < total else { return LogPage(lines: [], total: total, status: status) }
        // Read by its number, never by OFFSET: a page costs the same wherever it lies.
        let lines = try await postgres.query(
            """
            SELECT (extract(epoch FROM created_at) * 1000000)::bigint, data->>'message' FROM run_events
            WHERE run_id = \(run) AND log_no > \(offset) AND log_no <= \(total) ORDER BY log_no LIMIT 1000
            """
        ).map { row throws(PostgresError) in
            let (at, message) = try row.decode(Timestamp.self, String.self)
            return "\(at.seconds) \(message)"
        }
        return LogPage(lines: lines, total: total, status: status)
    }
}
