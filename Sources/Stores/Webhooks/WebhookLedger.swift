package import Domain
package import PostgresClient

/// The statements that write events and deliveries, to be sent in the transaction of their cause.
package enum WebhookLedger {
    /// Events of the crew engine, one of each per run (contract 1.6). The strings are stored.
    package enum RunEventType: String, Sendable {
        case started = "engagement.started"
        case completed = "engagement.completed"
        case failed = "engagement.failed"
    }

    /// What subscribers may name, besides `*`.
    package static let types: Set<String> = [
        "engagement.started", "engagement.completed", "engagement.failed", "report.generated", "attachment.uploaded",
        "deliverable.ready", "quality.scored", "deliverable.approved", "deliverable.revision_requested",
        "deliverable.rejected",
        "submission.created", "submission.approved", "submission.rejected", "endpoint.test",
    ]

    /// Writes a run's event and its deliveries, once, where the tenant has endpoints that want it.
    ///
    /// Engagements have no mode: live and test endpoints get them, with `livemode` true (decision D-69).
    package static func announce(_ type: RunEventType, of run: Run.ID) -> SQL {
        let event = "evt_" + CUID.make()
        return """
            WITH fact AS (
              SELECT r.tenant_id, jsonb_build_object(
                'id', \(event)::text, 'type', \(type.rawValue)::text, 'created_at', \(clause: iso("clock_timestamp()")),
                'livemode', true, 'data', \(clause: type == .started ? started : ended)) AS body
              FROM runs r JOIN engagements e ON e.id = r.engagement_id WHERE r.id = \(run)),
            event AS (
              INSERT INTO events (id, tenant_id, type, dedupe_key, body)
              SELECT \(event), tenant_id, \(type.rawValue), \("\(type.rawValue):\(run)"), convert_to(body::text, 'UTF8')
              FROM fact WHERE EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.tenant_id = fact.tenant_id
                                      AND w.events && ARRAY['*', \(type.rawValue)::text])
              ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, tenant_id)
            INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id)
            SELECT \(clause: newDelivery), v.tenant_id, w.id, v.id
            FROM event v JOIN webhook_endpoints w ON w.tenant_id = v.tenant_id
            WHERE w.events && ARRAY['*', \(type.rawValue)::text]
            """
    }

    static let newDelivery: SQL = "'whd_' || replace(gen_random_uuid()::text, '-', '')"

    static let started: SQL = """
        jsonb_build_object('engagementId', e.id, 'runId', r.id, 'name', e.name, 'client', e.client,
          'startedAt', to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
        """

    static let ended: SQL = """
        \(clause: started) || jsonb_build_object('status', r.status,
          'finishedAt', to_char(r.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'estimatedCost', r.spent_nanos / 1e9::float8,
          'deliverables', (SELECT count(DISTINCT filename) FROM deliverables d WHERE d.run_id = r.id AND d.task_id <> '_report'))
        || CASE WHEN r.error IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('error', r.error) END
        """

    /// - Parameter moment: an SQL expression of ours.
    static func iso(_ moment: String) -> SQL {
        SQL(trusted: "to_char(\(moment) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
    }
}
