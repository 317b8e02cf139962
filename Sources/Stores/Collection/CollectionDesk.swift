package import Domain
package import PostgresClient

/// Collection tasks as the operator sees them: of all tenants and both modes.
package struct CollectionDesk: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Which tasks to list; nil is any.
    package struct Filter: Sendable {
        package let tenant: Tenant.ID?
        package let status: CollectionTask.Status?
        package let mode: KeyMode?
        package let limit: Int

        package init(tenant: Tenant.ID?, status: CollectionTask.Status?, mode: KeyMode?, limit: Int) {
            self.tenant = tenant
            self.status = status
            self.mode = mode
            self.limit = limit
        }
    }

    /// Newest first.
    package func list(_ filter: Filter) async throws(PostgresError) -> [CollectionTask] {
        let rows = try await postgres.query(
            """
            SELECT \(clause: CollectionTask.columns) FROM collect_tasks
            WHERE (\(filter.tenant)::text IS NULL OR tenant_id = \(filter.tenant))
              AND (\(filter.status)::text IS NULL OR status = \(filter.status))
              AND (\(filter.mode)::text IS NULL OR livemode = (\(filter.mode)::text = 'live'))
            ORDER BY created_at DESC, id DESC LIMIT \(filter.limit)
            """
        )
        var tasks: [CollectionTask] = []
        for row in rows { tasks.append(try CollectionTask(row)) }
        return tasks
    }

    package func find(_ id: CollectionTask.ID) async throws(PostgresError) -> CollectionTask? {
        try await postgres.query(
            "SELECT \(clause: CollectionTask.columns) FROM collect_tasks WHERE id = \(id)"
        ).first.map { row throws(PostgresError) in try CollectionTask(row) }
    }

    /// How many submissions of a task are in each state; none are left out.
    package func submissions(of id: CollectionTask.ID) async throws(PostgresError) -> [Submission.Status: Int] {
        var counts: [Submission.Status: Int] = [:]
        let rows = try await postgres.query(
            "SELECT status, count(*) FROM submissions WHERE task_id = \(id) GROUP BY status"
        )
        for row in rows {
            let (status, count) = try row.decode(Submission.Status.self, Int.self)
            counts[status] = count
        }
        return counts
    }

    /// Books money that came another way than through Stripe (decision D-61): the task opens.
    ///
    /// - Parameter amount: cents; nil is the task's budget.
    /// - Returns: nil where the task is not waiting for money, or `amount` is less than its budget, or there is none.
    package func fund(_ id: CollectionTask.ID, amount: Int?) async throws(PostgresError) -> CollectionTask? {
        try await postgres.query(
            """
            UPDATE collect_tasks SET funded_cents = coalesce(\(amount)::bigint, budget_cents), status = 'open',
              updated_at = now()
            WHERE id = \(id) AND status = 'funding' AND budget_cents <= coalesce(\(amount)::bigint, budget_cents)
            RETURNING \(clause: CollectionTask.columns)
            """
        ).first.map { row throws(PostgresError) in try CollectionTask(row) }
    }
}
