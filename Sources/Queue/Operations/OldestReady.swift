package import PostgresClient

/// How long the oldest job of each queue waits that a worker could take: the figure to scale on, and to alarm on.
extension Ledger {
    /// Left out: jobs whose moment has not come, paused queues, tenants at their cap or with a rate, keys at their cap. Rows of
    /// queue and seconds.
    static let oldestReady: SQL = """
        WITH \(clause: parked)
        SELECT j.queue, extract(epoch FROM clock_timestamp() - min(j.run_at))::float8
        FROM jobs j LEFT JOIN parked p ON p.queue = j.queue AND p.tenant = j.tenant
        LEFT JOIN full_keys f ON f.queue = j.queue AND f.tenant = j.tenant AND f.key = j.concurrency_key
        WHERE j.state = 'queued' AND j.run_at <= clock_timestamp() AND p.queue IS NULL AND f.queue IS NULL
          AND j.queue NOT IN (SELECT queue FROM queue_settings WHERE mode = 'paused')
        GROUP BY j.queue
        """

    /// The same in one pass with the counters of all queues: rows of queue, state, delayed, count and seconds.
    static let depths: SQL = """
        WITH \(clause: parked), paused AS MATERIALIZED (SELECT queue FROM queue_settings WHERE mode = 'paused')
        SELECT j.queue, j.state, j.run_at > clock_timestamp() AS delayed, count(*),
               extract(epoch FROM clock_timestamp() - min(j.run_at)
                 FILTER (WHERE p.queue IS NULL AND f.queue IS NULL AND j.queue NOT IN (SELECT queue FROM paused)))::float8
        FROM jobs j LEFT JOIN parked p ON p.queue = j.queue AND p.tenant = j.tenant
        LEFT JOIN full_keys f ON f.queue = j.queue AND f.tenant = j.tenant AND f.key = j.concurrency_key
        WHERE j.state IN ('queued','running','dead') GROUP BY 1, 2, 3
        """

    /// Tenants that have as many jobs running as they may, and keys.
    private static let parked: SQL = """
        parked AS MATERIALIZED (
          SELECT l.queue, l.tenant FROM tenant_limits l LEFT JOIN (
            SELECT queue, tenant, count(*) AS jobs FROM jobs WHERE state = 'running' GROUP BY 1, 2) r
            ON r.queue = l.queue AND r.tenant = l.tenant
          WHERE l.rate > 0 OR (l.concurrency > 0 AND r.jobs >= l.concurrency)),
        full_keys AS MATERIALIZED (
          SELECT r.queue, r.tenant, r.concurrency_key AS key FROM jobs r
          WHERE r.state = 'running' AND r.concurrency_key IS NOT NULL GROUP BY r.queue, r.tenant, r.concurrency_key
          HAVING count(*) >= nullif(coalesce(
            (SELECT concurrency FROM key_limits k WHERE k.queue = r.queue AND k.key = r.concurrency_key),
            (SELECT concurrency FROM key_limits k WHERE k.queue = r.queue AND k.key = ''), max(r.per_key)), 0))
        """

    /// How long the oldest job waits that a worker of these queues could take; nil where there is none.
    ///
    /// Queues with a cap or a rate of their own are left out: what waits there may have to.
    package func oldestReady(in queues: [String]) async throws(PostgresError) -> Duration? {
        let rows = try await postgres.query(
            """
            SELECT max(seconds) FROM (\(clause: Self.oldestReady)) AS oldest(queue, seconds)
            WHERE queue = ANY(\(queues)::text[]) AND queue NOT IN (SELECT queue FROM queue_caps)
            """
        )
        return try rows.first?.decode(Double?.self).map { .milliseconds(Int($0 * 1000)) }
    }
}
