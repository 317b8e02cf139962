import PostgresClient
import Queue

/// The jobs of pending deliveries, inserted by the statement that sees the deliveries. Their unique key names delivery,
/// round and attempt, so a delivery never has two.
enum WebhookFollowUps {
    /// - Parameter condition: which deliveries, as a condition over `d`.
    static func deliveries(where condition: SQL) -> SQL {
        """
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key,
                          concurrency_key, per_key, run_at)
        SELECT \(JobKind.deliverWebhook.rawValue), \(DeliverWebhook.policy.queue.rawValue), d.tenant_id,
               \(DeliverWebhook.policy.priority)::smallint, \(DeliverWebhook.policy.retry.attempts),
               jsonb_build_object('delivery', d.id, 'round', d.round),
               'deliver:' || d.id || ':' || d.round || ':' || d.attempts,
               d.endpoint_id, \(DeliverWebhook.policy.perKey),
               greatest(coalesce(d.next_attempt_at, clock_timestamp()), clock_timestamp())
        FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id
        WHERE d.status = 'pending' AND w.enabled AND (\(clause: condition))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returning)
        """
    }
}
