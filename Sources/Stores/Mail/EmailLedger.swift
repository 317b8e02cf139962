package import Domain
package import PostgresClient

/// The statements that write mails, to be sent in the transaction of their cause. None is written twice: its key names
/// template and object. Without an outlet it is `unsent`, and ``EmailFollowUps`` adds no job.
package enum EmailLedger {
    /// Writes a run's mail to the user who started it, or made the key that did, while they are a member (decision D-33).
    package static func announce(_ type: WebhookLedger.RunEventType, of run: Run.ID) -> SQL {
        let template = template(of: type)
        return """
            INSERT INTO emails (id, tenant_id, user_id, dedupe_key, template, recipient, data, status)
            SELECT \(newID()), r.tenant_id, u.id, \(key(type, of: run)), \(template.rawValue), u.email,
                   \(clause: type == .started ? WebhookLedger.started : WebhookLedger.ended), \(clause: status)
            FROM runs r JOIN engagements e ON e.id = r.engagement_id JOIN users u ON u.id = r.started_by
            JOIN memberships m ON m.tenant_id = r.tenant_id AND m.user_id = u.id AND m.status = 'active'
            WHERE r.id = \(run) AND u.email IS NOT NULL
            ON CONFLICT (dedupe_key) DO NOTHING
            """
    }

    /// What names the mail of a run's event.
    package static func key(_ type: WebhookLedger.RunEventType, of run: Run.ID) -> String {
        "\(template(of: type).rawValue):\(run)"
    }

    /// Writes to the owner where this very transaction closed the endpoint; see ``WebhookOutbox/book(_:)``.
    package static func announceDisabled(_ endpoint: WebhookEndpoint.ID) -> SQL {
        let template = MailTemplate.endpointDisabled.rawValue
        return """
            INSERT INTO emails (id, tenant_id, user_id, dedupe_key, template, recipient, data, status)
            SELECT \(newID()), w.tenant_id, u.id, \(clause: disabledKey), \(template), u.email, jsonb_build_object(
                     'endpointId', w.id, 'url', w.url, 'reason', w.disabled_reason), \(clause: status)
            FROM webhook_endpoints w JOIN memberships m ON m.tenant_id = w.tenant_id AND m.role = 'owner'
            JOIN users u ON u.id = m.user_id
            WHERE w.id = \(endpoint) AND w.disabled_at = now() AND u.email IS NOT NULL
            ON CONFLICT (dedupe_key) DO NOTHING
            """
    }

    /// The mails that ``announceDisabled(_:)`` writes, as a condition over `m`.
    package static func disabled(_ endpoint: WebhookEndpoint.ID) -> SQL {
        """
        m.dedupe_key = (SELECT \(clause: disabledKey) FROM webhook_endpoints w
                        WHERE w.id = \(endpoint) AND w.disabled_at = now())
        """
    }

    /// An endpoint may be closed again after its owner opened it: the moment is part of the key.
    private static let disabledKey: SQL =
        "'endpoint_disabled:' || w.id || ':' || (extract(epoch FROM w.disabled_at) * 1000000)::bigint"

    private static let status: SQL = "CASE WHEN EXISTS (SELECT 1 FROM mail_outlet) THEN 'pending' ELSE 'unsent' END"

    private static func newID() -> String { "eml_" + CUID.make() }

    private static func template(of type: WebhookLedger.RunEventType) -> MailTemplate {
        switch type {
        case .started: .runStarted
        case .completed: .runCompleted
        case .failed: .runFailed
        }
    }
}
