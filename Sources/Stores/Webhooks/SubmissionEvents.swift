package import Domain
package import PostgresClient

extension WebhookLedger {
    /// Events of data collection, each once per submission (contract T-22). The strings are stored.
    package enum SubmissionEventType: String, Sendable, CaseIterable {
        case created = "submission.created"
        case approved = "submission.approved"
        case rejected = "submission.rejected"
    }

    /// What `dedupe_key` of the event is.
    package static func key(_ type: SubmissionEventType, of submission: Submission.ID) -> String {
        "\(type.rawValue):\(submission)"
    }

    /// Writes a submission's event and its deliveries, once, where the tenant has endpoints of the task's mode that want it.
    /// What the submission is by now is what the event says; a payout is named where there is one (decision D-67).
    package static func announce(_ type: SubmissionEventType, of submission: Submission.ID) -> SQL {
        let event = "evt_" + CUID.make()
        return """
            WITH fact AS (
              SELECT s.tenant_id, t.livemode, jsonb_build_object(
                'id', \(event)::text, 'type', \(type.rawValue)::text, 'created_at', \(clause: iso("clock_timestamp()")),
                'livemode', t.livemode, 'data', \(clause: submissionData)) AS body
              FROM submissions s JOIN collect_tasks t ON t.id = s.task_id LEFT JOIN payouts p ON p.submission_id = s.id
              WHERE s.id = \(submission)),
            event AS (
              INSERT INTO events (id, tenant_id, type, dedupe_key, body)
              SELECT \(event), tenant_id, \(type.rawValue), \(key(type, of: submission)), convert_to(body::text, 'UTF8')
              FROM fact WHERE EXISTS (
                SELECT 1 FROM webhook_endpoints w WHERE w.tenant_id = fact.tenant_id AND w.livemode = fact.livemode
                  AND w.events && ARRAY['*', \(type.rawValue)::text])
              ON CONFLICT (dedupe_key) DO NOTHING RETURNING id)
            INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id)
            SELECT \(clause: newDelivery), f.tenant_id, w.id, v.id
            FROM event v CROSS JOIN fact f
            JOIN webhook_endpoints w ON w.tenant_id = f.tenant_id AND w.livemode = f.livemode
            WHERE w.events && ARRAY['*', \(type.rawValue)::text]
            """
    }

    private static let submissionData: SQL = """
        jsonb_build_object('id', s.id, 'task_id', s.task_id, 'contributor_id', 'usr_' || s.contributor_id,
          'media_object_key', s.media_object_key, 'duration_seconds', s.duration_seconds, 'byte_size', s.byte_size,
          'status', s.status, 'review_note', s.review_note,
          'reviewed_at', to_char(s.reviewed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
          'created_at', to_char(s.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        || CASE WHEN p.submission_id IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('payout',
             jsonb_build_object('amount_cents', p.amount_cents, 'status', p.status)) END
        """
}
