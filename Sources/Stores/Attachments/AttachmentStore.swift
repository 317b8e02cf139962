package import Domain
package import PostgresClient

/// Files of engagements. Every query names the tenant; locks are taken in the order engagement, usage, attachment, blob.
package struct AttachmentStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    // MARK: Read

    /// Oldest first; nil where the tenant has no such engagement.
    package func list(_ engagement: Engagement.ID, _ tenant: Tenant.ID) async throws(PostgresError) -> [Attachment]? {
        let results = try await postgres.pipeline([
            "SELECT 1 FROM engagements WHERE id = \(engagement) AND tenant_id = \(tenant)",
            """
            SELECT \(clause: Self.columns) FROM attachments
            WHERE engagement_id = \(engagement) AND tenant_id = \(tenant) ORDER BY created_at, id
            """,
        ])
        guard results[0].first != nil else { return nil }
        return try results[1].map { row throws(PostgresError) in try Self.attachment(row) }
    }

    /// Whether an engagement, and in it an attachment, is there.
    package enum Finding: Sendable {
        case found(Attachment)
        case noEngagement
        case noAttachment
    }

    package func find(
        _ id: Attachment.ID,
        in engagement: Engagement.ID,
        _ tenant: Tenant.ID
    ) async throws(PostgresError) -> Finding {
        let results = try await postgres.pipeline([
            "SELECT 1 FROM engagements WHERE id = \(engagement) AND tenant_id = \(tenant)",
            """
            SELECT \(clause: Self.columns) FROM attachments
            WHERE id = \(id) AND engagement_id = \(engagement) AND tenant_id = \(tenant)
            """,
        ])
        guard results[0].first != nil else { return .noEngagement }
        guard let row = results[1].first else { return .noAttachment }
        return .found(try Self.attachment(row))
    }

    /// The plan by which a file for this engagement is measured: without a subscription Starter's (contract A-9). Nil where
    /// the tenant has no such engagement.
    package func plan(for engagement: Engagement.ID, _ tenant: Tenant.ID) async throws(PostgresError) -> Plan? {
        let found = try await postgres.query(
            """
            SELECT coalesce(p.plan, 'starter') FROM engagements e LEFT JOIN entitlements p ON p.tenant_id = e.tenant_id
            WHERE e.id = \(engagement) AND e.tenant_id = \(tenant)
            """
        )
        return try found.first?.decode(Plan.self)
    }

    // MARK: Insert

    package enum Insertion: Sendable {
        case inserted(Attachment)
        /// The engagement is gone.
        case noEngagement
        /// The tenant's plan has no room for it (contract A-10). Nothing was written.
        case full
    }

    /// Takes room on the plan, chooses a name that is free, and makes attachment and blob live.
    ///
    /// `AddAttachment` of the floor above does this with everything that follows from it.
    /// - Throws: ``BlobError/missing`` where the blob was given up in the meantime; the transaction must be rolled back.
    package func insert(
        _ new: NewAttachment,
        in transaction: PostgresTransaction
    ) async throws -> Insertion {
        let locked = try await transaction.query(
            """
            SELECT coalesce(p.plan, 'starter') FROM engagements e LEFT JOIN entitlements p ON p.tenant_id = e.tenant_id
            WHERE e.id = \(new.engagement) AND e.tenant_id = \(new.tenant) FOR NO KEY UPDATE OF e
            """
        )
        guard let plan = try locked.first?.decode(Plan.self) else { return .noEngagement }
        let taken = try await transaction.query(
            StorageUsage.take(new.digest.size, of: plan.maxTotalBytes, for: new.tenant)
        )
        guard taken.first != nil else { return .full }
        let row = try await insertNamed(new, in: transaction)
        let published = try await transaction.query(BlobCatalogue.publish(new.storageKey, size: new.digest.size))
        guard published.first != nil else { throw BlobError.missing }
        return .inserted(try Self.attachment(row))
    }

    /// The unique index says whether a name is free; the engagement is locked, so it stays so.
    private func insertNamed(_ new: NewAttachment, in transaction: PostgresTransaction) async throws -> Row {
        if let row = try await transaction.query(Self.insert(new, as: new.label)).first { return row }
        let names = try await transaction.query(
            "SELECT filename FROM attachments WHERE engagement_id = \(new.engagement) AND tenant_id = \(new.tenant)"
        )
        let taken: [String] = try names.map { row throws(PostgresError) in try row.decode(String.self) }
        let label = new.label.unique(among: Set(taken))
        guard let row = try await transaction.query(Self.insert(new, as: label)).first else {
            throw PostgresError(.unexpectedResult, "no attachment")
        }
        return row
    }

    private static func insert(_ new: NewAttachment, as label: FileLabel) -> SQL {
        """
        INSERT INTO attachments (id, tenant_id, engagement_id, filename, mime_type, size_bytes, sha256, storage_key, category,
                                 summary, source_url, uploaded_by)
        VALUES (\(Attachment.ID.make()), \(new.tenant), \(new.engagement), \(label.text), \(new.mimeType),
                \(new.digest.size)::bigint, \(PostgresBytes(new.digest.sha256))::bytea, \(new.storageKey),
                \(new.category.rawValue), \(new.summary), \(new.sourceURL), \(new.uploadedBy))
        ON CONFLICT (engagement_id, filename) DO NOTHING RETURNING \(clause: columns)
        """
    }

    // MARK: Delete

    package enum Deletion: Sendable {
        case deleted
        case noEngagement
        case noAttachment
    }

    /// Removes an attachment, gives its room back and condemns its blob.
    ///
    /// `RemoveAttachment` of the floor above does this with everything that follows from it.
    package func delete(
        _ id: Attachment.ID,
        in engagement: Engagement.ID,
        _ tenant: Tenant.ID,
        in transaction: PostgresTransaction
    ) async throws -> Deletion {
        let locked = try await transaction.query(
            "SELECT 1 FROM engagements WHERE id = \(engagement) AND tenant_id = \(tenant) FOR NO KEY UPDATE"
        )
        guard locked.first != nil else { return .noEngagement }
        let condition: SQL = "id = \(id) AND engagement_id = \(engagement) AND tenant_id = \(tenant)"
        let sized = try await transaction.query("SELECT size_bytes FROM attachments WHERE \(clause: condition)")
        guard let size = try sized.first?.decode(Int.self) else { return .noAttachment }
        _ = try await transaction.pipeline(
            [StorageUsage.free(size, for: tenant), Self.condemn(where: condition)] + [
                "DELETE FROM attachments WHERE \(clause: condition)"
            ]
        )
        return .deleted
    }

    /// What goes with an engagement that is being deleted, to be sent before its row goes.
    static func deleteAll(of engagement: Engagement.ID, _ tenant: Tenant.ID) -> [SQL] {
        let condition: SQL = "engagement_id = \(engagement) AND tenant_id = \(tenant)"
        return [StorageUsage.free(of: condition, for: tenant), condemn(where: condition)]
    }

    /// - Parameter condition: over `attachments`.
    private static func condemn(where condition: SQL) -> SQL {
        """
        UPDATE blobs SET state = 'deleting'
        WHERE storage_key IN (SELECT storage_key FROM attachments WHERE \(clause: condition))
        """
    }

    // MARK: Rows

    private static let columns: SQL = """
        id, engagement_id, filename, mime_type, size_bytes, sha256, storage_key, category, summary, source_url, uploaded_by,
        (extract(epoch FROM created_at) * 1000000)::bigint
        """

    private static func attachment(_ row: Row) throws(PostgresError) -> Attachment {
        let (id, engagement, filename, type, size, sha256, key, category, summary, source, user, createdAt) =
            try row.decode(
                Attachment.ID.self,
                Engagement.ID.self,
                String.self,
                String.self,
                Int.self,
                PostgresBytes.self,
                String.self,
                Attachment.Category.self,
                String?.self,
                String?.self,
                User.ID?.self,
                Timestamp.self
            )
        return Attachment(
            id: id,
            engagement: engagement,
            filename: filename,
            mimeType: type,
            sizeBytes: size,
            sha256: sha256.bytes,
            storageKey: key,
            category: category,
            summary: summary,
            sourceURL: source,
            uploadedBy: user,
            createdAt: createdAt
        )
    }
}

extension Attachment.Category: PostgresEncodable, PostgresDecodable {}
