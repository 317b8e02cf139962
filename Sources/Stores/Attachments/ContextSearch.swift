package import Domain
package import PostgresClient

/// How passages are found: rare words choose candidates through the index, and all words rank them.
extension ContextStore {
    /// The passages of a generation that answer a query best, best first.
    ///
    /// The query is plain words in any of the languages of the files: no operators. Words that no file has are taken for
    /// misspelt, and stand for what is written most like them.
    /// - Parameter limit: 1 to 100.
    package func search(
        _ query: ContextQuery,
        in id: Engagement.ID,
        generation: Int,
        limit: Int
    ) async throws(PostgresError) -> [ContextHit] {
        let (terms, total) = try await terms(of: query, in: id, generation)
        guard total > 0 else { return [] }
        let misspelt = try await resembling(query, terms, in: id, generation)
        let plan = CandidatePlan(terms + misspelt, total: total)
        guard !plan.terms.isEmpty else { return [] }
        // The planner knows nothing of these words; the index is always the right way in.
        let results = try await postgres.pipeline([
            "SET LOCAL enable_seqscan = off", "SET LOCAL jit = off",
            Self.ranked(plan, total: total, in: id, generation, limit: min(max(limit, 1), 100)),
        ])
        return try results[2].map { row throws(PostgresError) in try Self.hit(row) }
    }

    // MARK: Words

    /// The query's lexemes in every language of the generation, and how many passages have each.
    private func terms(
        of query: ContextQuery,
        in id: Engagement.ID,
        _ generation: Int
    ) async throws(PostgresError) -> (terms: [QueryTerm], total: Int) {
        let texts = [query.main, query.background].map(SearchWords.of)
        let result = try await postgres.query(
            """
            WITH texts AS MATERIALIZED (\(clause: Self.texts(id, generation))),
            languages AS (SELECT unnest(languages) AS name FROM texts UNION SELECT 'simple' UNION SELECT 'english'),
            words AS MATERIALIZED (
              SELECT l.lexeme, max(q.weight) AS weight
              FROM unnest(\(texts)::text[], '{1,0.3}'::float8[]) AS q(text, weight)
              CROSS JOIN languages, unnest(to_tsvector(languages.name::regconfig, q.text)) l
              GROUP BY l.lexeme)
            SELECT w.lexeme, w.weight, coalesce(n.chunks, 0), (SELECT coalesce(sum(chunks), 0)::bigint FROM texts)
            FROM words w CROSS JOIN LATERAL (
              SELECT sum(c.chunks)::bigint AS chunks FROM context_terms c
              WHERE c.engagement_id = \(id) AND c.lexeme = w.lexeme AND c.text_id IN (SELECT t.id FROM texts t)) n
            """
        )
        var total = 0
        let terms = try result.map { row throws(PostgresError) in
            let (lexeme, weight, chunks, all) = try row.decode(String.self, Double.self, Int.self, Int.self)
            total = all
            return QueryTerm(lexeme: lexeme, weight: weight, chunks: chunks)
        }
        return (terms, total)
    }

    /// For words of the query that no file has, what is written most like them.
    private func resembling(
        _ query: ContextQuery,
        _ terms: [QueryTerm],
        in id: Engagement.ID,
        _ generation: Int
    ) async throws(PostgresError) -> [QueryTerm] {
        let known = terms.filter { $0.chunks > 0 }.map { String($0.lexeme.prefix(4)) }
        let words = Words.named(of: query.main).map(\.word)
            .filter { word in word.count > 3 && !known.contains { word.hasPrefix($0) } }
        guard !words.isEmpty else { return [] }
        let result = try await postgres.query(
            """
            SELECT w.word, n.lexeme, n.chunks FROM unnest(\(Array(Set(words).sorted().prefix(8)))::text[]) w(word)
            CROSS JOIN LATERAL (
              SELECT c.lexeme, sum(c.chunks)::bigint AS chunks FROM context_terms c
              WHERE c.engagement_id = \(id) AND c.lexeme >= left(w.word, 2) AND c.lexeme < left(w.word, 2) || chr(1114111)
                AND length(c.lexeme) BETWEEN length(w.word) - 2 AND length(w.word) + 3
                AND c.text_id IN (SELECT t.id FROM (\(clause: Self.texts(id, generation))) t)
              GROUP BY c.lexeme LIMIT 3000) n
            """
        )
        let pairs = try result.map { row throws(PostgresError) in
            try row.decode(String.self, String.self, Int.self)
        }
        return Dictionary(grouping: pairs) { $0.0 }.values.flatMap { pairs in
            pairs.map { (lexeme: $0.1, chunks: $0.2, alike: Trigrams.similarity($0.0, $0.1)) }
                .filter { $0.alike >= 0.45 }
                .sorted { ($1.alike, $0.lexeme) < ($0.alike, $1.lexeme) }
                .prefix(2)
                .map { QueryTerm(lexeme: $0.lexeme, weight: $0.alike, chunks: $0.chunks) }
        }
    }

    /// The complete texts of a generation.
    private static func texts(_ id: Engagement.ID, _ generation: Int) -> SQL {
        """
        SELECT t.id, t.chunks, t.languages, f.attachment_id, f.filename
        FROM context_files f JOIN context_texts t ON t.id = f.text_id
        WHERE f.engagement_id = \(id) AND f.generation = \(generation) AND t.chunks > 0
        """
    }

    // MARK: Ranking

    /// How much is known by the words a passage has, raised a little where they stand close together. The latter costs most, so
    /// it is looked at only where it may decide.
    private static func ranked(
        _ plan: CandidatePlan,
        total: Int,
        in id: Engagement.ID,
        _ generation: Int,
        limit: Int
    ) -> SQL {
        let ways = [
            plan.anyOf.isEmpty ? nil : CandidatePlan.any(plan.anyOf),
            plan.allOf.isEmpty ? nil : CandidatePlan.all(plan.allOf),
        ]
        .compactMap(\.self).map { "\(CandidatePlan.quoted(ContextLedger.scope(id))) & (\($0))" }
        let terms = plan.terms.map { CandidatePlan.quoted($0.lexeme) }
        // The empty vector unpacks the stored one, once for all the tests of a passage.
        return """
            WITH texts AS MATERIALIZED (\(clause: texts(id, generation))),
            candidates AS MATERIALIZED (
              SELECT DISTINCT h.text_id, h.number FROM unnest(\(ways)::tsquery[]) w(query)
              CROSS JOIN LATERAL (
                SELECT f.text_id, f.number FROM (
                  SELECT c.text_id, c.number FROM context_chunks c WHERE c.search @@ w.query OFFSET 0) f
                WHERE f.text_id IN (SELECT t.id FROM texts t) LIMIT \(CandidatePlan.most)) h),
            scored AS (
              SELECT k.text_id, k.number, (
                  SELECT coalesce(sum(q.worth), 0) FROM unnest(\(terms)::tsquery[], \(plan.terms.map { $0.worth(of: total) })::float8[])
                    q(word, worth) WHERE s.flat @@ q.word) AS worth
              FROM candidates k CROSS JOIN LATERAL (
                SELECT c.search || ''::tsvector AS flat FROM context_chunks c
                WHERE c.text_id = k.text_id AND c.number = k.number OFFSET 0) s),
            likely AS MATERIALIZED (
              SELECT * FROM scored ORDER BY worth DESC, text_id, number LIMIT \(3 * limit)),
            best AS (
              SELECT l.text_id, l.number,
                     round((l.worth * (1 + ts_rank_cd(c.search, \(CandidatePlan.any(plan.nearest))::tsquery, 1)))::numeric, 6)
                       AS score
              FROM likely l JOIN context_chunks c ON c.text_id = l.text_id AND c.number = l.number
              ORDER BY score DESC, l.text_id, l.number LIMIT \(limit))
            SELECT t.attachment_id, t.filename, c.headings, c.page, c.sheet, c.first_row, c.last_row, c.part, c.body,
                   b.score::float8
            FROM best b JOIN context_chunks c ON c.text_id = b.text_id AND c.number = b.number
            JOIN texts t ON t.id = b.text_id ORDER BY b.score DESC, b.text_id, b.number
            """
    }

    private static func hit(_ row: Row) throws(PostgresError) -> ContextHit {
        let (attachment, filename, headings, page, sheet, first, last, part, body, score) = try row.decode(
            String.self,
            String.self,
            [String].self,
            Int?.self,
            String?.self,
            Int?.self,
            Int?.self,
            Int?.self,
            String.self,
            Double.self
        )
        let rows: ClosedRange<Int>? = if let first, let last, first <= last { first...last } else { nil }
        return ContextHit(
            attachment: attachment,
            filename: filename,
            place: ChunkPlace(headings: headings, page: page, sheet: sheet, rows: rows, part: part),
            score: score,
            text: body
        )
    }
}
