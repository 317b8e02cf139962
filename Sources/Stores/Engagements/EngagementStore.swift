package import Domain
package import PostgresClient

/// Engagements as callers see them. Every query names the tenant.
package struct EngagementStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// What a caller sends to make one.
    package struct Draft: Sendable {
        package let name: String
        package let client: String
        package let brief: String
        package let budget: NanoUSD
        package let tasks: JSON

        package init(name: String, client: String, brief: String, budget: NanoUSD, tasks: JSON) {
            self.name = name
            self.client = client
            self.brief = brief
            self.budget = budget
            self.tasks = tasks
        }
    }

    package enum Creation: Sendable {
        case created(Engagement)
        case noSubscription
        case limitReached(used: Int, limit: Int)
    }

    // MARK: Create

    /// Makes an engagement and takes one of the month's places in the same transaction, so that no race exceeds the plan.
    package func create(_ draft: Draft, for caller: Caller) async throws -> Creation {
        do {
            return try await postgres.retryingTransaction { transaction in
                let entitled = try await transaction.query(
                    "SELECT plan FROM entitlements WHERE tenant_id = \(caller.tenant)"
                )
                guard let plan = try entitled.first?.decode(Plan.self) else { return .noSubscription }
                let limit = plan.engagementsPerMonth
                let slot = try await transaction.query(Self.takeSlot(caller.tenant, limit: limit))
                guard slot.first != nil || limit == nil else { throw LimitReached(limit: limit ?? 0) }
                let inserted = try await transaction.query(Self.insert(draft, caller))
                guard let row = inserted.first else { throw PostgresError(.unexpectedResult, "no engagement") }
                return .created(try Self.engagement(row))
            }
        } catch let full as LimitReached {
            return .limitReached(used: full.limit, limit: full.limit)
        }
    }

    private struct LimitReached: Error {
        let limit: Int
    }

    private static func takeSlot(_ tenant: Tenant.ID, limit: Int?) -> SQL {
        """
        INSERT INTO usage_counters AS u (tenant_id, metric, period, value)
        VALUES (\(tenant), 'engagements', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM'), 1)
        ON CONFLICT (tenant_id, metric, period) DO UPDATE SET value = u.value + 1
          WHERE \(limit)::bigint IS NULL OR u.value < \(limit)::bigint
        RETURNING value
        """
    }

    private static func insert(_ draft: Draft, _ caller: Caller) -> SQL {
        """
        INSERT INTO engagements (id, tenant_id, created_by, name, client, slug, brief, budget_nanos, tasks)
        VALUES (\(Engagement.ID.make()), \(caller.tenant), \(caller.user), \(draft.name), \(draft.client),
                \(Engagement.slug(of: draft.name)), \(draft.brief), \(draft.budget)::bigint, \(draft.tasks)::jsonb)
        RETURNING \(clause: columns)
        """
    }

    // MARK: Delete

    package enum Deletion: Sendable {
        case deleted
        case notFound
        case running
    }

    /// Removes an engagement with its runs, events and deliverables (contract E-18 to E-20). What a worker hands in later is
    /// refused: there is no row left that it could be written to.
    ///
    /// The bytes of its attachments are condemned: enqueue their removal in the same transaction.
    package func delete(
        _ id: Engagement.ID,
        _ tenant: Tenant.ID,
        in transaction: PostgresTransaction
    ) async throws -> Deletion {
        let locked = try await transaction.query(
            "SELECT status FROM engagements WHERE id = \(id) AND tenant_id = \(tenant) FOR UPDATE"
        )
        guard let status = try locked.first?.decode(Engagement.Status.self) else { return .notFound }
        guard status != .running else { return .running }
        _ = try await transaction.pipeline(
            AttachmentStore.deleteAll(of: id, tenant)
                + ["DELETE FROM engagements WHERE id = \(id) AND tenant_id = \(tenant)"]
        )
        return .deleted
    }

    // MARK: Read

    private static let columns: SQL = """
        id, tenant_id, name, client, slug, brief, budget_nanos, tasks, status,
        (extract(epoch FROM created_at) * 1000000)::bigint
        """

    private static func engagement(_ row: Row) throws(PostgresError) -> Engagement {
        let (id, tenant, name, client, slug, brief, budget, tasks, status, createdAt) = try row.decode(
            Engagement.ID.self,
            Tenant.ID.self,
            String.self,
            String.self,
            String.self,
            String.self,
            NanoUSD.self,
            JSON.self,
            Engagement.Status.self,
            Timestamp.self
        )
        return Engagement(
            id: id,
            tenant: tenant,
            name: name,
            client: client,
            slug: slug,
            brief: brief,
            budget: budget,
            tasks: tasks,
            status: status,
            createdAt: createdAt
        )
    }

    /// All of a tenant's engagements, newest first.
    package func list(_ tenant: Tenant.ID) async throws(PostgresError) -> [Engagement] {
        try await postgres.query(
            """
            SELECT \(clause: Self.columns) FROM engagements WHERE tenant_id = \(tenant)
            ORDER BY created_at DESC, id DESC
            """
        ).map { row throws(PostgresError) in try Self.engagement(row) }
    }

    /// One engagement with its runs and deliverables, all as of one moment; nil where the tenant has no such one.
    package func detail(_ id: Engagement.ID, _ tenant: Tenant.ID) async throws(PostgresError) -> EngagementDetail? {
        let results = try await postgres.pipeline([
            "SELECT \(clause: Self.columns) FROM engagements WHERE id = \(id) AND tenant_id = \(tenant)",
            RunStore.selectRuns(of: id, tenant),
            RunStore.selectDeliverables(of: id, tenant),
        ])
        guard let row = results[0].first else { return nil }
        return EngagementDetail(
            engagement: try Self.engagement(row),
            runs: try results[1].map { row throws(PostgresError) in try RunStore.run(row) },
            deliverables: try results[2].map { row throws(PostgresError) in try RunStore.deliverable(row) }
        )
    }

    package func exists(_ id: Engagement.ID, _ tenant: Tenant.ID) async throws(PostgresError) -> Bool {
        try await postgres.query("SELECT 1 FROM engagements WHERE id = \(id) AND tenant_id = \(tenant)").first != nil
    }
}

/// An engagement and what its crews have done.
package struct EngagementDetail: Sendable {
    package let engagement: Engagement
    package let runs: [RunRow]
    package let deliverables: [DeliverableRow]
}
