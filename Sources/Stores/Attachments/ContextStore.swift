package import Domain
package import PostgresClient

/// Where the index of an engagement's files stands (contract S-34).
package struct ContextState: Sendable {
    /// The newest complete generation; 0 before the first.
    package let generation: Int
    /// The generation that covers every change so far.
    package let wanted: Int
    /// Of the newest generation.
    package let manifest: JSON?
    package let files: Int
    package let chunks: Int
    /// Estimated, four bytes each.
    package let tokens: Int

    package var isBuilding: Bool { wanted > generation }
}

/// A file of a generation.
package struct ContextFile: Sendable {
    package let filename: String
    package let category: String
    package let summary: String?
    /// Passages that can be quoted.
    package let chunks: Int
}

/// A passage that answers a query.
package struct ContextHit: Sendable {
    package let attachment: String
    package let filename: String
    package let place: ChunkPlace
    /// Higher is better; only hits of one query can be compared.
    package let score: Double
    package let text: String

    /// `report.pdf, p. 3`
    package var citation: String { place.citation(in: filename) }
}

/// The searchable text of an engagement's files, generation by generation.
///
/// What is written is in ``ContextLedger``, how passages are found in `ContextSearch.swift`.
package struct ContextStore: Sendable {
    let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Nil where the tenant has no such engagement.
    package func state(of id: Engagement.ID, _ tenant: Tenant.ID) async throws(PostgresError) -> ContextState? {
        let result = try await postgres.query(
            """
            SELECT coalesce(s.built, 0), coalesce(s.wanted, 0), g.manifest, n.files, n.chunks, n.tokens
            FROM engagements e LEFT JOIN index_state s ON s.engagement_id = e.id
            LEFT JOIN context_generations g ON g.engagement_id = e.id AND g.generation = s.built
            CROSS JOIN LATERAL (
              SELECT count(*) AS files, coalesce(sum(t.chunks), 0)::bigint AS chunks,
                     coalesce(sum(t.tokens), 0)::bigint AS tokens
              FROM context_files f LEFT JOIN context_texts t ON t.id = f.text_id
              WHERE f.engagement_id = e.id AND f.generation = s.built) n
            WHERE e.id = \(id) AND e.tenant_id = \(tenant)
            """
        )
        guard let row = result.first else { return nil }
        let (built, wanted, manifest, files, chunks, tokens) = try row.decode(
            Int.self,
            Int.self,
            JSON?.self,
            Int.self,
            Int.self,
            Int.self
        )
        return ContextState(
            generation: built,
            wanted: wanted,
            manifest: manifest,
            files: files,
            chunks: chunks,
            tokens: tokens
        )
    }

    /// The files of a generation in the order in which they came, at most `limit`, and how many there are.
    package func files(
        of id: Engagement.ID,
        generation: Int,
        limit: Int
    ) async throws(PostgresError) -> (files: [ContextFile], count: Int) {
        let result = try await postgres.query(
            """
            SELECT f.filename, f.category, f.summary, coalesce(t.chunks, 0), count(*) OVER ()
            FROM context_files f LEFT JOIN context_texts t ON t.id = f.text_id
            WHERE f.engagement_id = \(id) AND f.generation = \(generation) ORDER BY f.position LIMIT \(limit)
            """
        )
        var count = 0
        var files: [ContextFile] = []
        for row in result {
            let (filename, category, summary, chunks, all) = try row.decode(
                String.self,
                String.self,
                String?.self,
                Int.self,
                Int.self
            )
            files.append(ContextFile(filename: filename, category: category, summary: summary, chunks: chunks))
            count = all
        }
        return (files, count)
    }

    /// What a rebuild has to cover: read in this order, so that files may be newer than `wanted` says, never older.
    ///
    /// - Returns: nil where no file was ever changed, or the engagement is gone.
    package func rebuildInput(_ id: Engagement.ID) async throws(PostgresError) -> RebuildInput? {
        let results = try await postgres.pipeline([
            "SELECT wanted, built, tenant_id FROM index_state WHERE engagement_id = \(id)",
            """
            SELECT a.id, a.filename, a.mime_type, a.size_bytes, encode(a.sha256, 'hex'), a.storage_key, a.category,
                   a.summary, a.source_url, t.id, t.status, coalesce(t.chunks, 0)
            FROM attachments a LEFT JOIN context_texts t ON t.engagement_id = a.engagement_id AND t.sha256 = a.sha256
              AND t.filename = a.filename AND t.status <> 'writing'
            WHERE a.engagement_id = \(id) ORDER BY a.created_at, a.id
            """,
        ])
        guard let row = results[0].first else { return nil }
        let (wanted, built, tenant) = try row.decode(Int.self, Int.self, Tenant.ID.self)
        return RebuildInput(
            wanted: wanted,
            built: built,
            tenant: tenant,
            attachments: try results[1].map { row throws(PostgresError) in try RebuildInput.attachment(row) }
        )
    }
}

/// What a rebuild begins with.
package struct RebuildInput: Sendable {
    package struct Attachment: Sendable {
        package let id: String
        package let filename: String
        package let mimeType: String
        package let size: Int
        /// Hexadecimal.
        package let sha256: String
        package let storageKey: String
        package let category: String
        package let summary: String?
        package let sourceURL: String?
        /// Nil until its text has been read.
        package var text: StoredText?

        package init(
            id: String,
            filename: String,
            mimeType: String,
            size: Int,
            sha256: String,
            storageKey: String,
            category: String,
            summary: String? = nil,
            sourceURL: String? = nil,
            text: StoredText? = nil
        ) {
            self.id = id
            self.filename = filename
            self.mimeType = mimeType
            self.size = size
            self.sha256 = sha256
            self.storageKey = storageKey
            self.category = category
            self.summary = summary
            self.sourceURL = sourceURL
            self.text = text
        }
    }

    package let wanted: Int
    package let built: Int
    package let tenant: Tenant.ID
    package let attachments: [Attachment]

    static func attachment(_ row: Row) throws(PostgresError) -> Attachment {
        let (id, filename, mimeType, size, sha256, key, category, summary, url, text, status, chunks) = try row.decode(
            String.self,
            String.self,
            String.self,
            Int.self,
            String.self,
            String.self,
            String.self,
            String?.self,
            String?.self,
            Int?.self,
            String?.self,
            Int.self
        )
        return Attachment(
            id: id,
            filename: filename,
            mimeType: mimeType,
            size: size,
            sha256: sha256,
            storageKey: key,
            category: category,
            summary: summary,
            sourceURL: url,
            text: text.map { StoredText(id: $0, status: status ?? "", chunks: chunks) }
        )
    }
}

/// A file's text, completely written.
package struct StoredText: Sendable, Equatable {
    package let id: Int
    /// A ``TextStatus``.
    package let status: String
    package let chunks: Int

    package init(id: Int, status: String, chunks: Int) {
        self.id = id
        self.status = status
        self.chunks = chunks
    }
}
