package import Domain
package import PostgresClient

/// What the client thinks of one version of a document. The strings are stored.
package enum ReviewStatus: String, Sendable, PostgresEncodable, PostgresDecodable {
    case pending = "pending_review"
    case approved
    case revisionRequested = "revision_requested"
    case rejected
}

/// One version of a document, with what the client thinks of it.
package struct ReviewedDeliverable: Sendable {
    package let document: DeliverableRow
    package let review: ReviewStatus
    package let comment: String?
    package let reviewedAt: Timestamp?
}

/// Documents of engagements (contract S-30 to S-33). Every query names the tenant.
package struct DeliverableStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    private static let columns: SQL = """
        id, task_id, filename, content, version, word_count, (extract(epoch FROM created_at) * 1000000)::bigint,
        review_status, review_comment, (extract(epoch FROM reviewed_at) * 1000000)::bigint
        """

    private static func engagementExists(_ id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        "SELECT 1 FROM engagements WHERE id = \(id) AND tenant_id = \(tenant)"
    }

    /// All versions of all documents, newest first, with empty contents; nil where the tenant has no such engagement.
    ///
    /// - Parameter includeInternal: also files whose names begin with `_` (decision D-30).
    package func list(
        of engagement: Engagement.ID,
        _ tenant: Tenant.ID,
        includeInternal: Bool
    ) async throws(PostgresError) -> [ReviewedDeliverable]? {
        let results = try await postgres.pipeline([
            Self.engagementExists(engagement, tenant),
            """
            SELECT id, task_id, filename, '', version, word_count, (extract(epoch FROM created_at) * 1000000)::bigint,
                   review_status, review_comment, (extract(epoch FROM reviewed_at) * 1000000)::bigint
            FROM deliverables
            WHERE engagement_id = \(engagement) AND tenant_id = \(tenant)
              AND (\(includeInternal)::boolean OR NOT starts_with(filename, '_'))
            ORDER BY created_at DESC, id DESC
            """,
        ])
        guard results[0].first != nil else { return nil }
        return try results[1].map { row throws(PostgresError) in try Self.read(row) }
    }

    /// One document's versions, the newest first; empty where the tenant's engagement has no document of that name.
    package func versions(
        of filename: String,
        in engagement: Engagement.ID,
        _ tenant: Tenant.ID
    ) async throws(PostgresError) -> [ReviewedDeliverable] {
        try await postgres.query(
            """
            SELECT \(clause: Self.columns) FROM deliverables
            WHERE engagement_id = \(engagement) AND tenant_id = \(tenant) AND filename = \(filename)
            ORDER BY version DESC
            """
        ).map { row throws(PostgresError) in try Self.read(row) }
    }

    /// Nil where the tenant's engagement has no such document.
    package func one(
        _ id: Deliverable.ID,
        in engagement: Engagement.ID,
        _ tenant: Tenant.ID
    ) async throws(PostgresError) -> ReviewedDeliverable? {
        try await postgres.query(
            """
            SELECT \(clause: Self.columns) FROM deliverables
            WHERE id = \(id) AND engagement_id = \(engagement) AND tenant_id = \(tenant)
            """
        ).first.map { row throws(PostgresError) in try Self.read(row) }
    }

    package enum Review: Sendable {
        case recorded(ReviewedDeliverable)
        case alreadyDecided
        case notFound
    }

    /// Writes a decision down. Of any number of callers at once, exactly one decides.
    package func review(
        _ id: Deliverable.ID,
        in engagement: Engagement.ID,
        by caller: Caller,
        as decision: ReviewStatus,
        comment: String?,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> Review {
        let updated = try await transaction.query(
            """
            UPDATE deliverables SET review_status = \(decision), review_comment = \(comment),
              reviewed_by = \(caller.user), reviewed_at = clock_timestamp()
            WHERE id = \(id) AND engagement_id = \(engagement) AND tenant_id = \(caller.tenant)
              AND review_status = 'pending_review'
            RETURNING \(clause: Self.columns)
            """
        )
        if let row = updated.first { return .recorded(try Self.read(row)) }
        let known = try await transaction.query(
            "SELECT 1 FROM deliverables WHERE id = \(id) AND engagement_id = \(engagement) AND tenant_id = \(caller.tenant)"
        )
        return known.first == nil ? .notFound : .alreadyDecided
    }

    private static func read(_ row: Row) throws(PostgresError) -> ReviewedDeliverable {
        let (id, task, filename, content, version, words, createdAt, review, comment, reviewedAt) = try row.decode(
            Deliverable.ID.self,
            String.self,
            String.self,
            String.self,
            Int.self,
            Int.self,
            Timestamp.self,
            ReviewStatus.self,
            String?.self,
            Timestamp?.self
        )
        let document = DeliverableRow(
            id: id,
            task: task,
            filename: filename,
            content: content,
            version: version,
            wordCount: words,
            createdAt: createdAt
        )
        return ReviewedDeliverable(document: document, review: review, comment: comment, reviewedAt: reviewedAt)
    }
}
