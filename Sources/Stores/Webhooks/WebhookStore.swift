package import Domain
private import FoundationEssentials
package import PostgresClient

/// Endpoints and deliveries as callers see and change them. What a delivery does is in ``WebhookOutbox``.
package struct WebhookStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// A secret that exists in plain text here and nowhere else afterwards: `gt_whsec_` and 32 random bytes in base64.
    package static func newSecret() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return "gt_whsec_" + Data(bytes).base64EncodedString()
    }

    /// A tenant's endpoints of one mode, newest first.
    package func list(_ caller: Caller) async throws(PostgresError) -> [WebhookEndpoint] {
        let rows = try await postgres.query(
            """
            SELECT \(clause: Self.columns) FROM webhook_endpoints
            WHERE tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live) ORDER BY created_at DESC, id DESC
            """
        )
        var endpoints: [WebhookEndpoint] = []
        for row in rows { endpoints.append(try Self.endpoint(row)) }
        return endpoints
    }

    /// - Parameter events: types that it wants; `*` is all.
    /// - Returns: nil where the URL is registered already in this mode.
    package func create(
        url: String,
        events: [String],
        secret: String,
        sealer: Sealer,
        for caller: Caller
    ) async throws -> WebhookEndpoint? {
        let id = WebhookEndpoint.ID("whe_" + CUID.make())
        let sealed = PostgresBytes(try sealer.seal(secret, for: id.rawValue))
        let rows = try await postgres.query(
            """
            INSERT INTO webhook_endpoints (id, tenant_id, livemode, url, events, secret_sealed)
            VALUES (\(id), \(caller.tenant), \(caller.mode == .live), \(url), \(events)::text[], \(sealed))
            ON CONFLICT (tenant_id, livemode, url) DO NOTHING RETURNING \(clause: Self.columns)
            """
        )
        return try rows.first.map(Self.endpoint)
    }

    /// Changes what is given. Enabling forgets past failures; the caller enqueues what was held.
    ///
    /// - Returns: nil where there is no such endpoint.
    package func update(
        _ id: WebhookEndpoint.ID,
        enabled: Bool?,
        events: [String]?,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> WebhookEndpoint? {
        let rows = try await transaction.query(
            """
            UPDATE webhook_endpoints SET enabled = coalesce(\(enabled)::boolean, enabled),
              events = coalesce(\(events)::text[], events),
              failing_since = CASE WHEN \(enabled)::boolean THEN NULL ELSE failing_since END,
              disabled_reason = CASE WHEN \(enabled)::boolean THEN NULL ELSE disabled_reason END
            WHERE id = \(id) AND tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live)
            RETURNING \(clause: Self.columns)
            """
        )
        return try rows.first.map(Self.endpoint)
    }

    /// Deletes an endpoint with its deliveries; those that were pending are not made any more.
    package func delete(_ id: WebhookEndpoint.ID, for caller: Caller) async throws(PostgresError) -> Bool {
        let rows = try await postgres.query(
            """
            DELETE FROM webhook_endpoints
            WHERE id = \(id) AND tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live) RETURNING id
            """
        )
        return rows.first != nil
    }

    /// Puts a new secret in front; the one before signs along for 24 hours.
    package func rotate(
        _ id: WebhookEndpoint.ID,
        to secret: String,
        sealer: Sealer,
        for caller: Caller
    ) async throws -> WebhookEndpoint? {
        let sealed = PostgresBytes(try sealer.seal(secret, for: id.rawValue))
        let rows = try await postgres.query(
            """
            UPDATE webhook_endpoints SET old_secret_sealed = secret_sealed, secret_sealed = \(sealed),
              old_secret_until = now() + interval '24 hours'
            WHERE id = \(id) AND tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live)
            RETURNING \(clause: Self.columns)
            """
        )
        return try rows.first.map(Self.endpoint)
    }

    /// Writes an `endpoint.test` event for this endpoint alone; the caller adds the job to the same transaction.
    ///
    /// - Returns: its delivery; nil where there is no such endpoint.
    package func test(
        _ id: WebhookEndpoint.ID,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> WebhookDelivery.ID? {
        let event = "evt_" + CUID.make()
        let rows = try await transaction.query(
            """
            WITH event AS (
              INSERT INTO events (id, tenant_id, type, dedupe_key, body)
              SELECT \(event), tenant_id, 'endpoint.test', \("endpoint.test:\(event)"), convert_to(jsonb_build_object(
                'id', \(event)::text, 'type', 'endpoint.test', 'created_at', \(clause: WebhookLedger.iso("now()")),
                'livemode', livemode, 'data', '{}'::jsonb)::text, 'UTF8')
              FROM webhook_endpoints
              WHERE id = \(id) AND tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live)
              RETURNING id, tenant_id)
            INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id)
            SELECT \(clause: WebhookLedger.newDelivery), tenant_id, \(id), id FROM event RETURNING id
            """
        )
        return try rows.first?.decode(WebhookDelivery.ID.self)
    }

    /// The newest 100 deliveries of an endpoint; nil where there is no such endpoint.
    package func deliveries(
        _ id: WebhookEndpoint.ID,
        for caller: Caller
    ) async throws(PostgresError) -> [WebhookDelivery]? {
        let found = try await postgres.query(
            """
            SELECT 1 FROM webhook_endpoints
            WHERE id = \(id) AND tenant_id = \(caller.tenant) AND livemode = \(caller.mode == .live)
            """
        )
        guard found.first != nil else { return nil }
        let rows = try await postgres.query(
            """
            \(clause: Self.selectDeliveries) WHERE d.endpoint_id = \(id) AND d.tenant_id = \(caller.tenant)
            ORDER BY d.created_at DESC, d.id DESC LIMIT 100
            """
        )
        var deliveries: [WebhookDelivery] = []
        for row in rows { deliveries.append(try Self.delivery(row)) }
        return deliveries
    }

    /// Begins a delivery's schedule anew; the caller adds the job to the same transaction.
    ///
    /// - Returns: nil where there is no such delivery.
    package func redeliver(
        _ id: WebhookDelivery.ID,
        for caller: Caller,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> WebhookDelivery? {
        let changed = try await transaction.query(
            """
            UPDATE webhook_deliveries d SET status = 'pending', round = round + 1, tries = 0, next_attempt_at = now(),
                   delivered_at = NULL
            FROM webhook_endpoints w WHERE w.id = d.endpoint_id AND d.id = \(id) AND d.tenant_id = \(caller.tenant)
              AND w.livemode = \(caller.mode == .live) RETURNING d.id
            """
        )
        guard changed.first != nil else { return nil }
        let rows = try await transaction.query("\(clause: Self.selectDeliveries) WHERE d.id = \(id)")
        return try rows.first.map(Self.delivery)
    }

    private static let columns: SQL = """
        id, url, enabled, events, (extract(epoch FROM created_at) * 1000000)::bigint,
        (extract(epoch FROM failing_since) * 1000000)::bigint
        """

    private static func endpoint(_ row: Row) throws(PostgresError) -> WebhookEndpoint {
        let (id, url, enabled, events, created, failing) = try row.decode(
            WebhookEndpoint.ID.self,
            String.self,
            Bool.self,
            [String].self,
            Timestamp.self,
            Timestamp?.self
        )
        return WebhookEndpoint(
            id: id,
            url: url,
            enabled: enabled,
            events: events,
            createdAt: created,
            failingSince: failing
        )
    }

    private static let selectDeliveries: SQL = """
        SELECT d.id, d.event_id, v.type, d.status, d.attempts, d.last_status,
               (extract(epoch FROM d.next_attempt_at) * 1000000)::bigint,
               (extract(epoch FROM d.delivered_at) * 1000000)::bigint,
               (extract(epoch FROM d.created_at) * 1000000)::bigint
        FROM webhook_deliveries d JOIN events v ON v.id = d.event_id
        """

    private static func delivery(_ row: Row) throws(PostgresError) -> WebhookDelivery {
        let (id, event, type, status, attempts, last, next, delivered, created) = try row.decode(
            WebhookDelivery.ID.self,
            String.self,
            String.self,
            String.self,
            Int.self,
            Int?.self,
            Timestamp?.self,
            Timestamp?.self,
            Timestamp.self
        )
        return WebhookDelivery(
            id: id,
            event: event,
            type: type,
            status: status,
            attempts: attempts,
            lastStatus: last,
            nextAttemptAt: next,
            deliveredAt: delivered,
            createdAt: created
        )
    }
}
