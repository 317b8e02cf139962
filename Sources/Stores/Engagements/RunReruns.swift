package import Domain
package import PostgresClient

/// Runs that make one document anew (contract S-33).
extension RunStore {
    package enum Rerun: Sendable {
        case started(Run.ID)
        case notFound
        case noSubscription
        case alreadyRunning
        case paused
        /// No task of a run has written the file.
        case noTask
        case budgetSpent(spent: NanoUSD, budget: NanoUSD)
    }

    /// The first half of a rerun: who may, and the run's row. The caller adds the job to the same transaction.
    ///
    /// Of any number of callers at once, exactly one gets ``Rerun/started(_:)``. The run may spend what the newest whole run
    /// and the reruns after it have left of the engagement's budget.
    ///
    /// - Parameter feedback: what shall be different; nil asks for another try.
    package func rerun(
        _ document: Deliverable.ID,
        of id: Engagement.ID,
        feedback: String?,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> Rerun {
        let locked = try await transaction.query(
            "SELECT status, budget_nanos FROM engagements WHERE id = \(id) AND tenant_id = \(caller.tenant) FOR NO KEY UPDATE"
        )
        guard let row = locked.first else { return .notFound }
        let (status, budget) = try row.decode(Engagement.Status.self, NanoUSD.self)
        let results = try await transaction.pipeline([
            Self.selectRerun(document, of: id, caller.tenant), Self.selectSpent(on: id, caller.tenant),
            "SELECT 1 FROM entitlements WHERE tenant_id = \(caller.tenant)",
        ])
        guard let found = results[0].first else { return .notFound }
        let (filename, version, hasTask) = try found.decode(String.self, Int.self, Bool.self)
        guard results[2].first != nil else { return .noSubscription }
        switch status {
        case .running: return .alreadyRunning
        case .paused: return .paused
        case .pending, .completed, .failed: break
        }
        guard hasTask else { return .noTask }
        let spent = try results[1].first?.decode(NanoUSD.self) ?? .zero
        guard spent < budget else { return .budgetSpent(spent: spent, budget: budget) }
        let run = Run.ID.make()
        _ = try await transaction.pipeline([
            "UPDATE engagements SET status = 'running', updated_at = now() WHERE id = \(id)",
            """
            INSERT INTO runs (id, tenant_id, engagement_id, started_by, budget_nanos, kind, rerun_of, feedback)
            VALUES (\(run), \(caller.tenant), \(id), \(caller.user), \(budget - spent)::bigint, 'rerun', \(document),
                    \(feedback))
            """,
            RunLedger.append(
                [
                    .status(.running),
                    .log(agent: "engagement_manager", "\(filename), version \(version), is made anew"),
                ],
                to: run
            ),
        ])
        return .started(run)
    }

    private static func selectRerun(_ document: Deliverable.ID, of id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        """
        SELECT d.filename, d.version,
               EXISTS (SELECT 1 FROM run_tasks t WHERE t.run_id = d.run_id AND t.task_id = d.task_id)
        FROM deliverables d
        WHERE d.id = \(document) AND d.engagement_id = \(id) AND d.tenant_id = \(tenant)
        """
    }

    /// By the newest whole run and all that came after it.
    private static func selectSpent(on id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        """
        SELECT coalesce(sum(spent_nanos + reserved_nanos), 0)::bigint FROM runs
        WHERE engagement_id = \(id) AND tenant_id = \(tenant) AND started_at >= coalesce(
          (SELECT max(started_at) FROM runs WHERE engagement_id = \(id) AND tenant_id = \(tenant) AND kind = 'full'),
          '-infinity')
        """
    }

    // MARK: The engine

    /// What a rerun's one task is written from.
    package struct RerunSource: Sendable {
        /// The task as it was planned, in JSON.
        package let config: String
        /// Its place in that plan, and so in the report.
        package let position: Int
        package let feedback: String?
    }

    /// Nil where run or document are gone.
    package func rerunSource(_ run: Run.ID) async throws(PostgresError) -> RerunSource? {
        let found = try await postgres.query(
            """
            SELECT t.config::text, t.position, r.feedback
            FROM runs r JOIN deliverables d ON d.id = r.rerun_of AND d.engagement_id = r.engagement_id
            JOIN run_tasks t ON t.run_id = d.run_id AND t.task_id = d.task_id WHERE r.id = \(run)
            """
        )
        guard let row = found.first else { return nil }
        let (config, position, feedback) = try row.decode(String.self, Int.self, String?.self)
        return RerunSource(config: config, position: position, feedback: feedback)
    }

    /// The documents that a rerun builds on.
    package struct RerunDocuments: Sendable {
        /// Nil where it is gone.
        package let previous: String?
        /// The newest output of each task, in the order asked for.
        package let dependencies: [(id: String, config: String, output: String)]
    }

    /// - Parameter tasks: ids of tasks; those that have written nothing are left out.
    package func rerunDocuments(
        of document: Deliverable.ID,
        in engagement: Engagement.ID,
        buildingOn tasks: [String]
    ) async throws(PostgresError) -> RerunDocuments {
        let results = try await postgres.pipeline([
            "SELECT content FROM deliverables WHERE id = \(document) AND engagement_id = \(engagement)",
            """
            SELECT DISTINCT ON (d.task_id) d.task_id, t.config::text, d.content
            FROM deliverables d JOIN run_tasks t ON t.run_id = d.run_id AND t.task_id = d.task_id
            WHERE d.engagement_id = \(engagement) AND d.task_id = ANY (\(tasks)::text[])
            ORDER BY d.task_id, d.created_at DESC, d.version DESC
            """,
        ])
        var found: [String: (id: String, config: String, output: String)] = [:]
        for row in results[1] {
            let (id, config, output) = try row.decode(String.self, String.self, String.self)
            found[id] = (id: id, config: config, output: output)
        }
        return RerunDocuments(
            previous: try results[0].first?.decode(String.self),
            dependencies: tasks.compactMap { found[$0] }
        )
    }
}
