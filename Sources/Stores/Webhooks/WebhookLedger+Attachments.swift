package import Domain
package import PostgresClient

/// `attachment.uploaded`, once per attachment (contract 1.6, A-12, A-28).
extension WebhookLedger {
    private static let uploaded = "attachment.uploaded"

    /// What its event is unique by.
    package static func uploadKey(_ id: Attachment.ID) -> String { "\(uploaded):\(id)" }

    /// Writes an attachment's event and its deliveries where the tenant has endpoints that want it. Live and test endpoints
    /// get it, with `livemode` true (decision D-69).
    package static func announce(upload id: Attachment.ID) -> SQL {
        let event = "evt_" + CUID.make()
        return """
            WITH fact AS (
              SELECT a.tenant_id, jsonb_build_object(
                'id', \(event)::text, 'type', \(uploaded)::text, 'created_at', \(clause: iso("clock_timestamp()")),
                'livemode', true, 'data', jsonb_build_object(
                  'engagementId', a.engagement_id, 'attachmentId', a.id, 'filename', a.filename,
                  'mimeType', a.mime_type, 'sizeBytes', a.size_bytes, 'category', a.category)
                  || CASE WHEN a.source_url IS NULL THEN '{}'::jsonb
                     ELSE jsonb_build_object('sourceUrl', a.source_url) END) AS body
              FROM attachments a WHERE a.id = \(id)),
            event AS (
              INSERT INTO events (id, tenant_id, type, dedupe_key, body)
              SELECT \(event), tenant_id, \(uploaded), \(uploadKey(id)), convert_to(body::text, 'UTF8')
              FROM fact WHERE EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.tenant_id = fact.tenant_id
                                      AND w.events && ARRAY['*', \(uploaded)::text])
              ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, tenant_id)
            INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id)
            SELECT \(clause: newDelivery), v.tenant_id, w.id, v.id
            FROM event v JOIN webhook_endpoints w ON w.tenant_id = v.tenant_id
            WHERE w.events && ARRAY['*', \(uploaded)::text]
            """
    }
}
