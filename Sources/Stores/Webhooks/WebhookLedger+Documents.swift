package import Domain
package import PostgresClient

/// What endpoints hear of documents and their scores (contract 1.6).
extension WebhookLedger {
    /// An event of one document.
    package enum DocumentEvent: Sendable {
        /// A task has written it. Once per deliverable.
        case ready(task: String, run: Run.ID)
        /// It was judged. Once per version of the document.
        case scored(task: String, run: Run.ID)
        /// Somebody has decided on it. Once per deliverable.
        case reviewed(Deliverable.ID)
    }

    /// Whether a tenant has endpoints that hear of documents or scores, as a condition.
    ///
    /// - Parameter tenant: an SQL expression of ours.
    static func hasReaders(of tenant: String) -> SQL {
        """
        EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.tenant_id = \(clause: SQL(trusted: tenant))
                AND w.events && ARRAY['*', 'deliverable.ready', 'quality.scored'])
        """
    }

    /// Writes the event and its deliveries, where the tenant has endpoints that want it. Engagements have no mode: live and
    /// test endpoints get it, with `livemode` true (decision D-69).
    package static func announce(_ event: DocumentEvent) -> SQL {
        """
        WITH fact AS (\(clause: fact(of: event))),
        event AS (
          INSERT INTO events (id, tenant_id, type, dedupe_key, body)
          SELECT made.id, tenant_id, type, dedupe_key, convert_to(jsonb_build_object(
                   'id', made.id, 'type', type, 'created_at', \(clause: iso("clock_timestamp()")), 'livemode', true,
                   'data', data)::text, 'UTF8')
          FROM fact, (SELECT \("evt_" + CUID.make())::text AS id) made
          WHERE EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.tenant_id = fact.tenant_id
                        AND w.events && ARRAY['*', fact.type])
          ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, tenant_id, type)
        INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id)
        SELECT \(clause: newDelivery), v.tenant_id, w.id, v.id
        FROM event v JOIN webhook_endpoints w ON w.tenant_id = v.tenant_id
        WHERE w.events && ARRAY['*', v.type]
        """
    }

    /// The deliveries of the event, as a condition over `d`.
    package static func deliveries(of event: DocumentEvent) -> SQL {
        """
        d.event_id = (SELECT v.id FROM events v WHERE v.dedupe_key = (SELECT f.dedupe_key FROM (\(clause: fact(of: event))) f))
        """
    }

    /// One row: tenant_id, type, dedupe_key, data. None where there is no such thing.
    private static func fact(of event: DocumentEvent) -> SQL {
        switch event {
        case .ready(let task, let run):
            """
            SELECT d.tenant_id, 'deliverable.ready' AS type, 'deliverable.ready:' || d.id AS dedupe_key,
                   \(clause: written) AS data
            FROM deliverables d WHERE d.run_id = \(run) AND d.task_id = \(task) ORDER BY d.version DESC LIMIT 1
            """
        case .scored(let task, let run):
            """
            SELECT d.tenant_id, 'quality.scored' AS type, 'quality.scored:' || q.id || ':' || d.id AS dedupe_key,
                   \(clause: written) || jsonb_build_object(
                     'taskName', d.task_id, 'score', trim_scale(q.tenths / 10::numeric)) AS data
            FROM quality_scores q JOIN deliverables d ON d.run_id = q.run_id AND d.task_id = q.task_id
            WHERE q.run_id = \(run) AND q.task_id = \(task) ORDER BY d.version DESC LIMIT 1
            """
        case .reviewed(let id):
            """
            SELECT d.tenant_id, 'deliverable.' || d.review_status AS type,
                   'deliverable.reviewed:' || d.id AS dedupe_key, jsonb_build_object(
                     'engagementId', d.engagement_id, 'deliverableId', d.id, 'filename', d.filename,
                     'version', d.version, 'comment', d.review_comment) AS data
            FROM deliverables d WHERE d.id = \(id) AND d.review_status <> 'pending_review'
            """
        }
    }

    private static let written: SQL = """
        jsonb_build_object('engagementId', d.engagement_id, 'runId', d.run_id, 'deliverableId', d.id,
          'taskId', d.task_id, 'filename', d.filename, 'version', d.version)
        """
}
