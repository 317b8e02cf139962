private import Domain
package import PostgresClient

/// A delivery that an attempt may be made at.
package struct OutgoingWebhook: Sendable {
    package let endpoint: WebhookEndpoint.ID
    package let url: String
    package let secret: PostgresBytes
    package let oldSecret: PostgresBytes?
    package let event: String
    package let type: String
    package let body: PostgresBytes
    package let tries: Int
}

/// Deliveries as the worker makes them.
package struct WebhookOutbox: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    package enum Claim: Sendable {
        case ready(OutgoingWebhook)
        /// The endpoint has two in flight.
        case busy
        /// Another delivery of the endpoint is being taken in this moment.
        case contended
        /// Delivered, superseded, deleted, or its endpoint is disabled and holds it.
        case moot
    }

    /// Takes one of the endpoint's two places, for 30 seconds: longer than a post may take, and over by itself where the
    /// worker was killed.
    ///
    /// In one trip and without waiting: a worker that is frozen in the middle must not make all others of the endpoint wait
    /// with a connection each.
    package func claim(_ id: WebhookDelivery.ID, round: Int) async throws -> Claim {
        let results = try await postgres.pipeline([
            """
            SELECT w.enabled AND d.status = 'pending' AND d.round = \(round), \(clause: Self.turn)
            FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id WHERE d.id = \(id)
            """,
            Self.take(id, round: round),
        ])
        guard let seen = results[0].first else { return .moot }
        let (isAlive, hasTurn) = try seen.decode(Bool.self, Bool.self)
        guard isAlive else { return .moot }
        guard hasTurn else { return .contended }
        guard let row = results[1].first else { return .busy }
        return .ready(try Self.outgoing(row))
    }

    /// One at a time for each endpoint, until the end of the transaction; who has it already gets it again.
    private static let turn: SQL = "pg_try_advisory_xact_lock(hashtextextended(d.endpoint_id, 8112))"

    /// - Precondition: the turn was asked for by a statement before, so that this one sees what the last owner wrote.
    private static func take(_ id: WebhookDelivery.ID, round: Int) -> SQL {
        """
        WITH mine AS MATERIALIZED (
          SELECT d.id, d.endpoint_id FROM webhook_deliveries d
          WHERE d.id = \(id) AND d.status = 'pending' AND d.round = \(round) AND \(clause: turn))
        UPDATE webhook_deliveries d SET sending_until = clock_timestamp() + interval '30 seconds'
        FROM mine, webhook_endpoints w, events v
        WHERE d.id = mine.id AND w.id = mine.endpoint_id AND w.enabled AND v.id = d.event_id
          AND (SELECT count(*) FROM webhook_deliveries o WHERE o.endpoint_id = mine.endpoint_id AND o.id <> mine.id
               AND o.status = 'pending' AND o.sending_until > clock_timestamp()) < 2
        RETURNING w.id, w.url, w.secret_sealed,
                  CASE WHEN w.old_secret_until > now() THEN w.old_secret_sealed END, v.id, v.type, v.body, d.tries
        """
    }

    private static func outgoing(_ row: Row) throws(PostgresError) -> OutgoingWebhook {
        let (endpoint, url, secret, old, event, type, body, tries) = try row.decode(
            WebhookEndpoint.ID.self,
            String.self,
            PostgresBytes.self,
            PostgresBytes?.self,
            String.self,
            String.self,
            PostgresBytes.self,
            Int.self
        )
        return OutgoingWebhook(
            endpoint: endpoint,
            url: url,
            secret: secret,
            oldSecret: old,
            event: event,
            type: type,
            body: body,
            tries: tries
        )
    }

    /// How an attempt ended.
    package struct Attempt: Sendable {
        package let delivery: WebhookDelivery.ID
        package let endpoint: WebhookEndpoint.ID
        package let status: Int?
        package let error: String?
        package let excerpt: String?
        package let milliseconds: Int
        package let isDelivered: Bool
        /// Seconds until the next one; nil where there is none.
        package let nextAfter: Int?

        package init(
            delivery: WebhookDelivery.ID,
            endpoint: WebhookEndpoint.ID,
            status: Int?,
            error: String?,
            excerpt: String?,
            milliseconds: Int,
            isDelivered: Bool,
            nextAfter: Int?
        ) {
            self.delivery = delivery
            self.endpoint = endpoint
            self.status = status
            self.error = error
            self.excerpt = excerpt
            self.milliseconds = milliseconds
            self.isDelivered = isDelivered
            self.nextAfter = nextAfter
        }
    }

    /// Books an attempt: the endpoint's health, the delivery, and the log. 410 disables the endpoint at once, five days of
    /// nothing but failures too (decision D-68); then the owner gets a mail.
    package static func book(_ attempt: Attempt) -> [SQL] {
        let state = attempt.isDelivered ? "delivered" : attempt.nextAfter == nil ? "failed" : "pending"
        let isOver: SQL = """
            NOT \(attempt.isDelivered) AND (\(attempt.status)::int IS NOT DISTINCT FROM 410
              OR coalesce(failing_since < now() - interval '5 days', false))
            """
        return [
            """
            UPDATE webhook_endpoints SET
              failing_since = CASE WHEN \(attempt.isDelivered) THEN NULL ELSE coalesce(failing_since, now()) END,
              enabled = enabled AND NOT (\(clause: isOver)),
              disabled_at = CASE WHEN enabled AND \(clause: isOver) THEN now() ELSE disabled_at END,
              disabled_reason = CASE WHEN \(attempt.isDelivered) THEN disabled_reason
                WHEN \(attempt.status)::int = 410 THEN 'it answered 410'
                WHEN failing_since < now() - interval '5 days' THEN 'nothing but failures for 5 days' END
            WHERE id = \(attempt.endpoint) AND NOT (\(attempt.isDelivered) AND failing_since IS NULL)
            """,
            """
            WITH booked AS (
              UPDATE webhook_deliveries SET status = \(state), attempts = attempts + 1, tries = tries + 1,
                sending_until = NULL, last_status = \(attempt.status)::int, last_error = \(attempt.error),
                delivered_at = CASE WHEN \(attempt.isDelivered) THEN now() END,
                next_attempt_at = now() + \(attempt.nextAfter)::int * interval '1 second'
              WHERE id = \(attempt.delivery) RETURNING id, attempts, tenant_id)
            INSERT INTO webhook_attempts
              (delivery_id, attempt, tenant_id, status_code, duration_ms, error, response_excerpt)
            SELECT id, attempts, tenant_id, \(attempt.status)::int, \(attempt.milliseconds)::int, \(attempt.error),
                   \(attempt.excerpt)
            FROM booked
            """,
            EmailLedger.announceDisabled(attempt.endpoint),
        ]
    }
}
