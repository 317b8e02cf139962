package import Domain
package import PostgresClient

/// Submissions as buyers see and decide them: every query names tenant and mode.
package struct SubmissionStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// All of a task, newest first. The caller has made sure that the task is its own.
    package func list(
        of task: CollectionTask.ID,
        _ page: Page,
        for caller: Caller
    ) async throws(PostgresError) -> Page.Of<Submission> {
        let rows = try await postgres.query(
            """
            SELECT \(clause: Submission.columns) FROM submissions s
            WHERE s.task_id = \(task) AND s.tenant_id = \(caller.tenant)
              AND (\(page.after)::text IS NULL OR (s.created_at, s.id) < (
                SELECT created_at, id FROM submissions WHERE id = \(page.after) AND tenant_id = \(caller.tenant)))
            ORDER BY s.created_at DESC, s.id DESC LIMIT \(page.limit + 1)
            """
        )
        var submissions: [Submission] = []
        for row in rows { submissions.append(try Submission(row)) }
        return page.cut(submissions)
    }

    /// - Returns: nil where the caller's tenant has no such submission in the caller's mode.
    package func find(_ id: Submission.ID, for caller: Caller) async throws(PostgresError) -> Submission? {
        try await postgres.query(
            """
            SELECT \(clause: Submission.columns) FROM submissions s JOIN collect_tasks t ON t.id = s.task_id
            WHERE s.id = \(id) AND s.tenant_id = \(caller.tenant) AND t.livemode = \(caller.mode == .live)
            """
        ).first.map { row throws(PostgresError) in try Submission(row) }
    }

    /// The media type that the contributor uploaded it as.
    package func mediaType(of submission: Submission) async throws(PostgresError) -> String {
        try await postgres.query(
            "SELECT mime_type FROM submission_uploads WHERE media_object_key = \(submission.mediaKey)"
        ).first?.decode(String.self) ?? "application/octet-stream"
    }

    /// What a buyer says of a submission.
    package enum Decision: Sendable {
        case approve
        case reject(note: String?)
    }

    /// What came of it.
    package enum Outcome: Sendable {
        case decided(Submission)
        case notFound
        /// It was decided before, as this.
        case decidedAlready(Submission.Status)
        /// The task takes no decisions any more: it is full, or was cancelled.
        case taskIsNotOpen(CollectionTask.Status)
    }

    /// Decides a submission, once (contract T-29, T-30). An approval counts for the task, completes it at its target, and
    /// writes the payout; the caller adds event and jobs to the same transaction.
    ///
    /// Nothing is written but for ``Outcome/decided(_:)``. Locks the submission first, then its task.
    package func decide(
        _ id: Submission.ID,
        _ decision: Decision,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> Outcome {
        let locked = try await transaction.query(
            """
            SELECT s.status, s.task_id FROM submissions s JOIN collect_tasks t ON t.id = s.task_id
            WHERE s.id = \(id) AND s.tenant_id = \(caller.tenant) AND t.livemode = \(caller.mode == .live)
            FOR NO KEY UPDATE OF s
            """
        )
        guard let row = locked.first else { return .notFound }
        let (status, task) = try row.decode(Submission.Status.self, CollectionTask.ID.self)
        guard status == .pending else { return .decidedAlready(status) }
        guard try await transaction.query(Self.takePlace(decision, task)).first != nil else {
            let found = try await transaction.query("SELECT status FROM collect_tasks WHERE id = \(task)")
            guard let row = found.first else { return .notFound }
            return .taskIsNotOpen(try row.decode(CollectionTask.Status.self))
        }
        return try await write(id, decision, transaction)
    }

    /// A row where the task is open; for an approval, with one place less.
    private static func takePlace(_ decision: Decision, _ task: CollectionTask.ID) -> SQL {
        switch decision {
        case .approve:
            """
            UPDATE collect_tasks SET approved_count = approved_count + 1, updated_at = now(),
              status = CASE WHEN approved_count + 1 = target_submissions THEN 'completed' ELSE status END
            WHERE id = \(task) AND status = 'open' AND approved_count < target_submissions RETURNING id
            """
        case .reject: "SELECT id FROM collect_tasks WHERE id = \(task) AND status = 'open' FOR SHARE"
        }
    }

    private func write(
        _ id: Submission.ID,
        _ decision: Decision,
        _ transaction: PostgresTransaction
    ) async throws(PostgresError) -> Outcome {
        let (status, note, pay): (Submission.Status, String?, [SQL]) =
            switch decision {
            case .approve: (.approved, nil, [Self.payout(id)])
            case .reject(let note): (.rejected, note, [])
            }
        let results = try await transaction.pipeline(
            [
                """
                UPDATE submissions s SET status = \(status), review_note = \(note), reviewed_at = now()
                WHERE s.id = \(id) AND s.status = 'pending' RETURNING \(clause: Submission.columns)
                """
            ] + pay
        )
        guard let row = results.first?.first else { throw PostgresError(.unexpectedResult, "no decided submission") }
        return .decided(try Submission(row))
    }

    /// What the contributor has earned. A transfer follows where Stripe is connected.
    private static func payout(_ id: Submission.ID) -> SQL {
        """
        INSERT INTO payouts (submission_id, tenant_id, contributor_id, amount_cents)
        SELECT s.id, s.tenant_id, s.contributor_id, t.reward_cents
        FROM submissions s JOIN collect_tasks t ON t.id = s.task_id WHERE s.id = \(id)
        """
    }
}
