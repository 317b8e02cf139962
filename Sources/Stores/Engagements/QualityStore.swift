package import Domain
package import PostgresClient

/// Scores of documents: what callers see, and what the observer reads before it judges.
package struct QualityStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// One score, as callers see it.
    package struct Score: Sendable {
        package let id: String
        package let task: String
        package let tenths: Int
        package let rubric: String
        package let feedback: String
        package let createdAt: Timestamp
    }

    /// The latest run of an engagement, with the scores of its documents.
    package struct Report: Sendable {
        package let run: Run.ID
        package let status: Run.Status
        package let startedAt: Timestamp
        /// In the plan's order: those of the latest whole run, each replaced by that of a later rerun.
        package let scores: [Score]

        /// The mean in tenths, rounded half up (contract E-51): 85 and 79 give 82; nil without scores.
        package var average: Int? {
            guard !scores.isEmpty else { return nil }
            return (2 * scores.reduce(0) { $0 + $1.tenths } + scores.count) / (2 * scores.count)
        }
    }

    /// - Returns: nil where the tenant has no such engagement; its second level is nil where it was never run.
    package func latest(of id: Engagement.ID, _ tenant: Tenant.ID) async throws(PostgresError) -> Report?? {
        let results = try await postgres.pipeline([
            "SELECT 1 FROM engagements WHERE id = \(id) AND tenant_id = \(tenant)",
            """
            SELECT id, status, (extract(epoch FROM started_at) * 1000000)::bigint FROM runs
            WHERE engagement_id = \(id) AND tenant_id = \(tenant) ORDER BY started_at DESC, id DESC LIMIT 1
            """,
            """
            SELECT s.id, s.task_id, s.tenths, s.rubric, s.feedback, (extract(epoch FROM s.created_at) * 1000000)::bigint
            FROM (
              SELECT DISTINCT ON (q.task_id) q.*, t.position
              FROM runs r JOIN quality_scores q ON q.run_id = r.id
              JOIN run_tasks t ON t.run_id = q.run_id AND t.task_id = q.task_id
              WHERE r.engagement_id = \(id) AND r.tenant_id = \(tenant) AND NOT EXISTS (
                SELECT 1 FROM runs w WHERE w.engagement_id = r.engagement_id AND w.kind = 'full'
                  AND (w.started_at, w.id) > (r.started_at, r.id))
              ORDER BY q.task_id, r.started_at DESC, r.id DESC) s
            ORDER BY s.position, s.task_id
            """,
        ])
        guard results[0].first != nil else { return nil }
        guard let row = results[1].first else { return .some(nil) }
        let (run, status, startedAt) = try row.decode(Run.ID.self, Run.Status.self, Timestamp.self)
        let scores = try results[2].map { row throws(PostgresError) in
            let (id, task, tenths, rubric, feedback, createdAt) = try row.decode(
                String.self,
                String.self,
                Int.self,
                String.self,
                String.self,
                Timestamp.self
            )
            return Score(id: id, task: task, tenths: tenths, rubric: rubric, feedback: feedback, createdAt: createdAt)
        }
        return Report(run: run, status: status, startedAt: startedAt, scores: scores)
    }

    /// A document that is to be written once more, and why.
    package struct Revision: Sendable {
        package let document: String
        /// The score, in tenths.
        package let tenths: Int
        package let feedback: String
        /// Tasks that are not written yet: they come first when money is short.
        package let openTasks: Int
    }

    /// - Returns: nil where no revision of this task is awaited.
    package func revision(_ run: Run.ID, task: String) async throws(PostgresError) -> Revision? {
        let rows = try await postgres.query(
            """
            SELECT d.content, q.tenths, q.feedback, (SELECT count(*) FROM run_tasks o WHERE o.run_id = t.run_id
                                                     AND o.status IN ('waiting','ready','running'))
            FROM run_tasks t JOIN quality_scores q ON q.run_id = t.run_id AND q.task_id = t.task_id
            JOIN LATERAL (
              SELECT content FROM deliverables WHERE run_id = t.run_id AND task_id = t.task_id
              ORDER BY version DESC LIMIT 1) d ON true
            WHERE t.run_id = \(run) AND t.task_id = \(task) AND t.revision = 'pending'
            """
        )
        guard let row = rows.first else { return nil }
        let (document, tenths, feedback, open) = try row.decode(String.self, Int.self, String.self, Int.self)
        return Revision(document: document, tenths: tenths, feedback: feedback, openTasks: open)
    }

    /// What the observer judges, and what it may spend.
    package struct Observation: Sendable {
        package let runStatus: Run.Status
        package let brief: String
        package let config: String
        package let document: String
        /// The model that wrote the document; empty where none did.
        package let writer: String
        package let budgetLeft: NanoUSD
        /// The document was not revised yet.
        package let isFirst: Bool
        /// As in ``StepInput``.
        package let marks: JSON?
        package let heldFor: Duration?
    }

    /// - Returns: nil where no judgement of this task is awaited.
    package func observation(_ run: Run.ID, task: String) async throws(PostgresError) -> Observation? {
        let rows = try await postgres.query(
            """
            SELECT r.status, e.brief, t.config::text, d.content, coalesce(t.model, ''),
                   r.budget_nanos - r.spent_nanos - r.reserved_nanos, t.revision IS NULL,
                   \(clause: ProviderMarks.column), extract(epoch FROM clock_timestamp() - t.held_since)::float8
            FROM runs r JOIN engagements e ON e.id = r.engagement_id
            JOIN run_tasks t ON t.run_id = r.id AND t.task_id = \(task) AND t.observation = 'pending'
            JOIN LATERAL (
              SELECT content FROM deliverables WHERE run_id = t.run_id AND task_id = t.task_id
              ORDER BY version DESC LIMIT 1) d ON true
            WHERE r.id = \(run)
            """
        )
        guard let row = rows.first else { return nil }
        let (status, brief, config, document, writer, left, isFirst, marks, held) = try row.decode(
            Run.Status.self,
            String.self,
            String.self,
            String.self,
            String.self,
            NanoUSD.self,
            Bool.self,
            JSON?.self,
            Double?.self
        )
        return Observation(
            runStatus: status,
            brief: brief,
            config: config,
            document: document,
            writer: writer,
            budgetLeft: left,
            isFirst: isFirst,
            marks: marks,
            heldFor: held.map { .seconds($0) }
        )
    }
}
