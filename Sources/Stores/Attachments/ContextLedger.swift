package import Domain
package import PostgresClient

/// What the index writes. Passages are written outside of the fence and count only when a settled generation names them.
package enum ContextLedger {
    /// One change of an engagement's files: the index is wanted anew. Goes with the change, in its transaction.
    package static func want(_ id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        """
        INSERT INTO index_state AS s (engagement_id, tenant_id, wanted) VALUES (\(id), \(tenant), 1)
        ON CONFLICT (engagement_id) DO UPDATE SET wanted = s.wanted + 1, changed_at = now()
        """
    }

    // MARK: Texts

    /// What a rebuild that was killed has left.
    package static func forgetUnfinished(of id: Engagement.ID) -> SQL {
        "DELETE FROM context_texts WHERE engagement_id = \(id) AND status = 'writing'"
    }

    /// A text that could not be completed.
    package static func forget(_ text: Int) -> SQL {
        "DELETE FROM context_texts WHERE id = \(text) AND status = 'writing'"
    }

    /// A place for the passages of one file; its one row is the text's id.
    package static func open(_ attachment: RebuildInput.Attachment, of id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        """
        INSERT INTO context_texts (engagement_id, tenant_id, sha256, filename)
        VALUES (\(id), \(tenant), decode(\(attachment.sha256), 'hex'), \(attachment.filename)) RETURNING id
        """
    }

    /// Passages of a text, the first of which has this number.
    ///
    /// Where no language was recognised the words are indexed as they stand, and with English stems beside them.
    package static func add(_ chunks: [TextChunk], from first: Int, to text: Int, of id: Engagement.ID) -> SQL {
        let places = chunks.map(\.place)
        return """
            INSERT INTO context_chunks (text_id, number, headings, page, sheet, first_row, last_row, part, body, tokens,
                                        language, search)
            SELECT \(text), \(first) + n.no - 1, n.headings::text[], n.page, n.sheet, n.first_row, n.last_row, n.part, n.body,
                   n.tokens, n.language, array_to_tsvector(ARRAY[\(scope(id))])
                   || setweight(to_tsvector(n.language::regconfig, n.title), 'A')
                   || to_tsvector(n.language::regconfig, n.words)
                   || CASE n.language WHEN 'simple' THEN to_tsvector('english', n.words) ELSE ''::tsvector END
            FROM unnest(\(places.map(\.headings.postgresText))::text[], \(NullableArray(places.map(\.page)))::int[],
                        \(NullableArray(places.map(\.sheet)))::text[],
                        \(NullableArray(places.map { $0.rows?.lowerBound }))::int[],
                        \(NullableArray(places.map { $0.rows?.upperBound }))::int[],
                        \(NullableArray(places.map(\.part)))::int[], \(chunks.map(\.text))::text[],
                        \(chunks.map(\.tokens))::int[], \(chunks.map(\.language))::text[],
                        \(chunks.map { SearchWords.of($0.place.headings.joined(separator: " ")) })::text[],
                        \(chunks.map { SearchWords.of($0.text) })::text[])
                 WITH ORDINALITY AS n(headings, page, sheet, first_row, last_row, part, body, tokens, language, title,
                                      words, no)
            """
    }

    /// Counts the words of a text whose passages are all there, and declares it complete.
    package static func close(
        _ text: Int,
        of id: Engagement.ID,
        status: String,
        truncated: Bool,
        chunks: [TextChunk]
    ) -> [SQL] {
        [
            """
            INSERT INTO context_terms (engagement_id, lexeme, text_id, chunks)
            SELECT \(id), s.word, \(text), s.ndoc
            FROM ts_stat('SELECT search FROM context_chunks WHERE text_id = ' || \(text)::bigint) s
            WHERE s.word <> \(scope(id))
            """,
            """
            UPDATE context_texts SET status = \(status), truncated = \(truncated), chunks = \(chunks.count),
              tokens = \(chunks.reduce(0) { $0 + $1.tokens }),
              languages = \(Set(chunks.map(\.language)).sorted())::text[]
            WHERE id = \(text)
            """,
            // Searches read what is not sorted in yet, one by one. Only the index' owner may; others leave it to autovacuum.
            """
            SELECT gin_clean_pending_list(oid) FROM pg_class
            WHERE oid = 'context_chunks_search'::regclass AND pg_has_role(relowner, 'USAGE')
            """,
        ]
    }

    /// The lexeme that every passage of an engagement has, and no text: the parser makes no word that begins so.
    static func scope(_ id: Engagement.ID) -> String { "#\(id.rawValue)" }

    // MARK: Generations

    /// One file as a generation names it.
    package struct FileRow: Sendable {
        package let attachment: RebuildInput.Attachment
        package let text: Int?

        package init(attachment: RebuildInput.Attachment, text: Int?) {
            self.attachment = attachment
            self.text = text
        }
    }

    /// Makes a generation the newest one, and lets go of older ones that no run holds. For ``JobContext`` to settle.
    ///
    /// - Parameter manifest: without `generatedAt`, which is the moment of the statement.
    package static func store(
        _ generation: Int,
        of id: Engagement.ID,
        _ tenant: Tenant.ID,
        manifest: JSON,
        files: [FileRow]
    ) -> [SQL] {
        let attachments = files.map(\.attachment)
        return [
            // First, as everywhere: the foreign key below would lock it last.
            "SELECT 1 FROM engagements WHERE id = \(id) FOR KEY SHARE",
            """
            WITH newer AS (
              UPDATE index_state SET built = \(generation), error = NULL
              WHERE engagement_id = \(id) AND built < \(generation) AND wanted >= \(generation) RETURNING 1)
            SELECT require(EXISTS (SELECT 1 FROM newer), 'a newer generation is there')
            """,
            """
            INSERT INTO context_generations (engagement_id, tenant_id, generation, manifest)
            VALUES (\(id), \(tenant), \(generation), \(manifest)::jsonb || jsonb_build_object('generatedAt',
              to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
            """,
            """
            INSERT INTO context_files (engagement_id, generation, position, attachment_id, filename, category, summary,
                                       text_id)
            SELECT \(id), \(generation), n.no, n.attachment, n.filename, n.category, n.summary, n.text
            FROM unnest(\(attachments.map(\.id))::text[], \(attachments.map(\.filename))::text[],
                        \(attachments.map(\.category))::text[], \(NullableArray(attachments.map(\.summary)))::text[],
                        \(NullableArray(files.map(\.text)))::bigint[])
                 WITH ORDINALITY AS n(attachment, filename, category, summary, text, no)
            """,
            prune(id),
            """
            DELETE FROM context_texts t WHERE t.engagement_id = \(id)
              AND NOT EXISTS (SELECT 1 FROM context_files WHERE text_id = t.id)
            """,
        ]
    }

    /// Generations that are neither the newest nor held by a run that goes on.
    private static func prune(_ id: Engagement.ID) -> SQL {
        """
        DELETE FROM context_generations g USING index_state s
        WHERE g.engagement_id = \(id) AND s.engagement_id = g.engagement_id AND g.generation < s.built
          AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.engagement_id = g.engagement_id
                          AND r.context_generation = g.generation AND r.status IN ('running','paused'))
        """
    }

    /// The same for all engagements, some at a time, and the texts that nothing names any more. A text that is younger may
    /// belong to a generation under way.
    package static let pruneAll: [SQL] = [
        """
        DELETE FROM context_generations WHERE (engagement_id, generation) IN (
          SELECT g.engagement_id, g.generation
          FROM context_generations g JOIN index_state s ON s.engagement_id = g.engagement_id AND g.generation < s.built
          WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.engagement_id = g.engagement_id
                            AND r.context_generation = g.generation AND r.status IN ('running','paused'))
          LIMIT 500 FOR UPDATE OF g SKIP LOCKED)
        """,
        """
        DELETE FROM context_texts WHERE id IN (
          SELECT t.id FROM context_texts t WHERE t.created_at < now() - interval '15 minutes'
            AND NOT EXISTS (SELECT 1 FROM context_files WHERE text_id = t.id) LIMIT 50 FOR UPDATE OF t SKIP LOCKED)
        """,
    ]

    /// Says why a rebuild failed, for an operator who looks into `index_state`.
    package static func fail(_ id: Engagement.ID, _ error: String) -> SQL {
        "UPDATE index_state SET error = \(String(error.prefix(500))) WHERE engagement_id = \(id) AND built < wanted"
    }

    // MARK: Runs

    /// The run keeps the newest generation there is, to its end. Sent after the run's lock: it takes the index's, so that the
    /// generation cannot be let go meanwhile.
    package static func hold(for run: Run.ID) -> [SQL] {
        [
            """
            SELECT 1 FROM index_state WHERE engagement_id = (SELECT engagement_id FROM runs WHERE id = \(run)) FOR SHARE
            """,
            """
            UPDATE runs r SET context_generation = (
              SELECT max(generation) FROM context_generations g WHERE g.engagement_id = r.engagement_id)
            WHERE r.id = \(run)
            """,
        ]
    }

    /// What a task's document cites.
    ///
    /// - Parameter citations: a JSON object.
    package static func cite(_ citations: String, task: String, of run: Run.ID) -> SQL {
        "UPDATE run_tasks SET citations = \(citations)::jsonb WHERE run_id = \(run) AND task_id = \(task)"
    }
}
