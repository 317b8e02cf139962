package import Domain
package import PostgresClient

/// Collection tasks as their buyers see them: every query names tenant and mode (decision D-6b).
package struct CollectionTaskStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// What a buyer asks for, once it was checked against ``CollectionTask/Limits``.
    package struct Draft: Sendable {
        package let title: String
        package let instructions: String
        package let modalities: [String]
        package let rewardCents: Int
        package let targetSubmissions: Int
        package let exampleMediaKey: String?

        package init(
            title: String,
            instructions: String,
            modalities: [String],
            rewardCents: Int,
            targetSubmissions: Int,
            exampleMediaKey: String?
        ) {
            self.title = title
            self.instructions = instructions
            self.modalities = modalities
            self.rewardCents = rewardCents
            self.targetSubmissions = targetSubmissions
            self.exampleMediaKey = exampleMediaKey
        }
    }

    /// Makes a task that waits for its money.
    package func create(
        _ draft: Draft,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> CollectionTask {
        let rows = try await transaction.query(
            """
            INSERT INTO collect_tasks (id, tenant_id, livemode, created_by_key, title, instructions, modalities,
              example_media_key, reward_cents, target_submissions)
            VALUES (\(CollectionTask.newID()), \(caller.tenant), \(caller.mode == .live), \(caller.key), \(draft.title),
              \(draft.instructions), \(draft.modalities)::text[], \(draft.exampleMediaKey), \(draft.rewardCents),
              \(draft.targetSubmissions))
            RETURNING \(clause: CollectionTask.columns)
            """
        )
        guard let row = rows.first else { throw PostgresError(.unexpectedResult, "no task") }
        return try CollectionTask(row)
    }

    /// Newest first.
    package func list(_ page: Page, for caller: Caller) async throws(PostgresError) -> Page.Of<CollectionTask> {
        let rows = try await postgres.query(
            """
            SELECT \(clause: CollectionTask.columns) FROM collect_tasks
            WHERE tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live)
              AND (\(page.after)::text IS NULL OR (created_at, id) < (
                SELECT created_at, id FROM collect_tasks WHERE id = \(page.after) AND tenant_id = \(caller.tenant)))
            ORDER BY created_at DESC, id DESC LIMIT \(page.limit + 1)
            """
        )
        var tasks: [CollectionTask] = []
        for row in rows { tasks.append(try CollectionTask(row)) }
        return page.cut(tasks)
    }

    /// - Returns: nil where the caller's tenant has no such task in the caller's mode.
    package func find(_ id: CollectionTask.ID, for caller: Caller) async throws(PostgresError) -> CollectionTask? {
        try await postgres.query(
            """
            SELECT \(clause: CollectionTask.columns) FROM collect_tasks
            WHERE id = \(id) AND tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live)
            """
        ).first.map { row throws(PostgresError) in try CollectionTask(row) }
    }

    /// A task that was just ended.
    package struct Cancelled: Sendable {
        package let task: CollectionTask
        /// It was paid for through Stripe, and not all of that is spent.
        package let isRefundable: Bool
        /// It was waiting for its money.
        package var isUnpaid: Bool { task.fundedCents == 0 }
    }

    /// Ends a task that is not finished (contract S-41), and notes what goes back to a buyer who paid through Stripe: what no
    /// approval has spent. What was handed in stays as it is, and can no longer be decided.
    ///
    /// - Returns: nil where the task is not `funding` or `open`, or there is none.
    package func cancel(
        _ id: CollectionTask.ID,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> Cancelled? {
        let ended = try await transaction.query(
            """
            UPDATE collect_tasks SET status = 'cancelled', updated_at = now()
            WHERE id = \(id) AND tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live)
              AND status IN ('funding','open')
            RETURNING \(clause: CollectionTask.columns)
            """
        )
        guard let row = ended.first else { return nil }
        let noted = try await transaction.query(RefundStore.ask(id.rawValue))
        return Cancelled(task: try CollectionTask(row), isRefundable: noted.first != nil)
    }
}

/// A part of a list, newest first (decision D-64).
package struct Page: Sendable {
    /// Rows of a list at most.
    package static let longest = 1000

    package let limit: Int
    /// The id of the row before the first one wanted; nil begins at the newest.
    package let after: String?

    /// - Parameter limit: 1 to ``longest``.
    package init(limit: Int = longest, after: String? = nil) {
        self.limit = min(max(1, limit), Self.longest)
        self.after = after
    }

    /// What was found.
    package struct Of<Row: Sendable>: Sendable {
        package let rows: [Row]
        /// Whether there are older ones.
        package let hasMore: Bool
    }

    /// - Parameter rows: one more than the limit, where there are so many.
    func cut<Row>(_ rows: [Row]) -> Of<Row> {
        Of(rows: Array(rows.prefix(limit)), hasMore: rows.count > limit)
    }
}
