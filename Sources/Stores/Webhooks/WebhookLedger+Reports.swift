package import Domain
package import PostgresClient

/// A report that a caller was given (contract 1.6).
package struct ReportFacts: Sendable {
    package let engagement: Engagement.ID
    package let tenant: Tenant.ID
    /// Of this one answer: two calls are two exports, though the bytes may be the same.
    package let export: String
    package let filename: String
    package let bytes: Int
    package let withProvenance: Bool

    package init(engagement: Engagement.ID, tenant: Tenant.ID, filename: String, bytes: Int, withProvenance: Bool) {
        self.engagement = engagement
        self.tenant = tenant
        self.filename = filename
        self.bytes = bytes
        self.withProvenance = withProvenance
        export = "exp_" + CUID.make()
    }

    /// What `dedupe_key` of the event is.
    package var key: String { "report.generated:\(export)" }
}

extension WebhookLedger {
    /// Writes `report.generated` and its deliveries, where the tenant has endpoints that want it (contract E-59).
    package static func announce(_ report: ReportFacts) -> SQL {
        let event = "evt_" + CUID.make()
        return """
            WITH fact AS (
              SELECT \(report.tenant)::text AS tenant_id, jsonb_build_object(
                'id', \(event)::text, 'type', 'report.generated', 'created_at', \(clause: iso("clock_timestamp()")),
                'livemode', true, 'data', jsonb_build_object(
                  'engagementId', \(report.engagement)::text, 'exportId', \(report.export)::text,
                  'filename', \(report.filename)::text, 'sizeBytes', \(report.bytes)::bigint,
                  'includeProvenance', \(report.withProvenance)::boolean)) AS body),
            event AS (
              INSERT INTO events (id, tenant_id, type, dedupe_key, body)
              SELECT \(event), tenant_id, 'report.generated', \(report.key), convert_to(body::text, 'UTF8')
              FROM fact WHERE EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.tenant_id = fact.tenant_id
                                      AND w.events && ARRAY['*', 'report.generated'])
              ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, tenant_id)
            INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id)
            SELECT \(clause: newDelivery), v.tenant_id, w.id, v.id
            FROM event v JOIN webhook_endpoints w ON w.tenant_id = v.tenant_id
            WHERE w.events && ARRAY['*', 'report.generated']
            """
    }
}
