package import Domain
import PostgresClient
package import Queue
import Stores

/// How Stripe's events come in: kept and enqueued in one transaction, or not at all.
package enum StripeInbox {
    /// Keeps an event that was signed, and the job that processes it, in one round trip. A second delivery changes
    /// nothing.
    ///
    /// - Parameter payload: the body, as it was signed.
    /// - Throws: `PostgresError`; then nothing was kept, and Stripe must send it again.
    package static func accept(_ event: StripeEvent, payload: String, into queue: JobQueue) async throws {
        let policy = ProcessStripeEvent.policy
        // Straight into the table: an operator who closes the queue must not lose what Stripe sends.
        let insert: SQL = """
            WITH event AS (\(clause: StripeLedger.receive(event, payload: payload)))
            INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key)
            SELECT \(JobKind.processStripeEvent.rawValue), \(policy.queue.rawValue), '', \(policy.priority)::smallint,
                   \(policy.retry.attempts)::int, jsonb_build_object('event', id), 'stripe.event:' || id FROM event
            ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
            \(clause: Ledger.returning)
            """
        _ = try await queue.transaction { try await $0.finish([], enqueuing: [insert]) }
    }

    /// Processes an event once more, from now on for another day.
    ///
    /// - Returns: false where it had its effect, was ignored, or is unknown.
    package static func retry(_ event: String, in queue: JobQueue) async throws -> Bool {
        try await queue.transaction { transaction in
            guard try await transaction.sql.query(StripeEventStore.reopen(event)).first != nil else { return false }
            _ = try await transaction.add([ProcessStripeEvent.atOnce(event)])
            return true
        }
    }
}
