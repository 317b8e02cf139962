package import Domain
package import PostgresClient

/// What the PDF of an engagement is made of, and the files that were made.
package struct ExportStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// What there is to export.
    package struct Material: Sendable {
        /// For the name of the file.
        package let slug: String
        package let report: ClientReport
    }

    /// The latest version of each deliverable that is meant for the client (names that begin with `_` are not).
    ///
    /// - Returns: nil where the tenant has no such engagement; no parts where nothing was written yet.
    package func material(
        _ id: Engagement.ID,
        _ tenant: Tenant.ID,
        withProvenance: Bool
    ) async throws -> Material? {
        let newest: SQL = """
            SELECT DISTINCT ON (filename) * FROM deliverables
            WHERE engagement_id = \(id) AND tenant_id = \(tenant) AND left(filename, 1) <> '_'
            ORDER BY filename, version DESC
            """
        return try await material(id, tenant, newest, withProvenance: withProvenance, isExcerpt: false)
    }

    /// One version of one document, whatever its name.
    ///
    /// - Returns: nil where the tenant has no such engagement; no parts where that has no such document.
    package func material(
        _ id: Engagement.ID,
        _ tenant: Tenant.ID,
        document: Deliverable.ID
    ) async throws -> Material? {
        let one: SQL = """
            SELECT * FROM deliverables
            WHERE id = \(document) AND engagement_id = \(id) AND tenant_id = \(tenant)
            """
        return try await material(id, tenant, one, withProvenance: false, isExcerpt: true)
    }

    private func material(
        _ id: Engagement.ID,
        _ tenant: Tenant.ID,
        _ deliverables: SQL,
        withProvenance: Bool,
        isExcerpt: Bool
    ) async throws -> Material? {
        let results = try await postgres.pipeline([Self.cover(id, tenant), Self.parts(deliverables)])
        guard let row = results.first?.first else { return nil }
        let (owner, name, client, slug, color, logo, kind) = try row.decode(
            String.self,
            String.self,
            String.self,
            String.self,
            String?.self,
            PostgresBytes?.self,
            String?.self
        )
        let rows = results.count > 1 ? Array(results[1]) : []
        let dated = try rows.map(Self.part)
        let report = ClientReport(
            tenant: owner,
            engagement: name,
            client: client,
            date: dated.map(\.at).max() ?? Timestamp(microseconds: 0),
            parts: dated.map(\.part),
            withProvenance: withProvenance,
            isExcerpt: isExcerpt,
            brand: try BrandStore.brand(color: color, logo: logo, kind: kind)
        )
        return Material(slug: slug, report: report)
    }

    private static func cover(_ id: Engagement.ID, _ tenant: Tenant.ID) -> SQL {
        """
        SELECT t.name, e.name, e.client, e.slug, b.color, b.logo, b.logo_type
        FROM engagements e JOIN tenants t ON t.id = e.tenant_id
        LEFT JOIN tenant_brands b ON b.tenant_id = e.tenant_id
        WHERE e.id = \(id) AND e.tenant_id = \(tenant)
        """
    }

    private static func parts(_ deliverables: SQL) -> SQL {
        """
        SELECT d.filename, d.version, d.content, (extract(epoch FROM d.created_at) * 1000000)::bigint,
               coalesce(k.agent_slug, ''), coalesce(c.models, ''), c.calls, c.input, c.output, c.cost,
               coalesce(c.reason, ''), q.tenths
        FROM (\(clause: deliverables)) d
        LEFT JOIN run_tasks k ON k.run_id = d.run_id AND k.task_id = d.task_id
        LEFT JOIN quality_scores q ON q.run_id = d.run_id AND q.task_id = d.task_id
        CROSS JOIN LATERAL (
          SELECT string_agg(DISTINCT model, ', ') FILTER (WHERE agent_slug <> 'quality_observer') AS models, count(*) AS calls, coalesce(sum(input_tokens), 0)::bigint AS input,
                 coalesce(sum(output_tokens), 0)::bigint AS output, coalesce(sum(cost_nanos), 0)::bigint AS cost,
                 string_agg(DISTINCT reason, '; ') FILTER (WHERE agent_slug <> 'quality_observer') AS reason
          FROM llm_calls WHERE run_id = d.run_id AND task_id = d.task_id AND state <> 'open') c
        ORDER BY k.position NULLS LAST, d.filename
        """
    }

    private static func part(_ row: Row) throws(PostgresError) -> (part: ClientReport.Part, at: Timestamp) {
        let (filename, version, content, at, agent, models, calls, input, output, cost, reason, score) = try row.decode(
            String.self,
            Int.self,
            String.self,
            Timestamp.self,
            String.self,
            String.self,
            Int.self,
            Int.self,
            Int.self,
            NanoUSD.self,
            String.self,
            Int?.self
        )
        let origin = ClientReport.Origin(
            agent: agent,
            models: models,
            calls: calls,
            inputTokens: input,
            outputTokens: output,
            cost: cost,
            reason: reason
        )
        let part = ClientReport.Part(
            filename: filename,
            version: version,
            markdown: content,
            score: score.map { Double($0) / 10 },
            origin: origin
        )
        return (part, at)
    }
}
