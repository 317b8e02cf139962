package import Domain
import PostgresClient
package import Queue
import Stores

/// Puts right what no job takes care of any more (contract C-8). It should find nothing.
package enum PaymentsRecovery {
    /// - Parameters:
    ///   - modes: those whose tasks are funded through Stripe.
    ///   - liveKeys: those of them whose key is one for real money.
    package static func run(_ queue: JobQueue, modes: Set<KeyMode>, liveKeys: Set<KeyMode> = []) async throws {
        for statement in [bury, PaymentRetries.buryPayouts, PaymentRetries.buryRefunds] {
            _ = try await queue.postgres.query(statement)
        }
        try await agreeWithKeys(queue, modes, liveKeys)
        try await queue.transaction { transaction in
            let waiting = try await transaction.sql.query(forgotten)
            try await transaction.enqueue(
                try waiting.map { row in
                    let event = try row.decode(String.self)
                    return try NewJob(ProcessStripeEvent(event: event), uniqueKey: ProcessStripeEvent.key(event))
                }
            )
            let freed = try await transaction.sql.query(StripeLedger.release(to: nil))
            try await transaction.enqueue(TransferPayout.jobs(freed))
            try await transaction.enqueue(CreateCheckout.jobs(transaction.sql.query(unfunded(modes))))
            let refunds = PaymentRetries.forgottenRefunds(modes.map { $0 == .live })
            try await transaction.enqueue(RefundTask.jobs(transaction.sql.query(refunds)))
        }
    }

    /// What the keys of the other mode made is not used: pages are made anew, and test cards give no plan any more.
    private static func agreeWithKeys(
        _ queue: JobQueue,
        _ modes: Set<KeyMode>,
        _ liveKeys: Set<KeyMode>
    ) async throws {
        guard !modes.isEmpty else { return }
        let pages = StripeModes.forgetPages(modes.map { $0 == .live }, liveKeys: liveKeys.map { $0 == .live })
        _ = try await queue.postgres.query(pages)
        _ = try await queue.postgres.query(StripeModes.judgeSubscriptions(billingIsLive: liveKeys.contains(.live)))
    }

    /// Forgets events that had their effect long ago.
    package static func prune(_ queue: JobQueue) async throws {
        _ = try await queue.postgres.query(StripeEventStore.prune)
    }

    /// Events whose job is dead: no job will come back to them.
    private static let bury: SQL = """
        UPDATE stripe_events e SET status = 'dead', error = coalesce(j.error, 'its job is dead'), processed_at = now()
        FROM jobs j WHERE e.status IN ('received','unmatched') AND j.state = 'dead' AND j.kind = 'stripe.event'
          AND j.unique_key = 'stripe.event:' || e.id AND j.finished_at > coalesce(e.processed_at, e.received_at)
        """

    /// Events that wait and have no job.
    private static let forgotten: SQL = """
        SELECT e.id FROM stripe_events e
        WHERE e.status IN ('received','unmatched')
          AND coalesce(e.processed_at, e.received_at) < now() - interval '1 minute'
          AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.unique_key = 'stripe.event:' || e.id
                          AND j.unique_key IS NOT NULL AND j.state IN ('queued','running'))
        ORDER BY e.received_at LIMIT 1000
        """

    /// Tasks without a page and without a job. One that Stripe has refused stays with the operator.
    private static func unfunded(_ modes: Set<KeyMode>) -> SQL {
        """
        SELECT t.id, t.tenant_id FROM collect_tasks t
        WHERE t.status = 'funding' AND t.funding_url IS NULL AND t.created_at < now() - interval '30 seconds'
          AND t.livemode = ANY(\(modes.map { $0 == .live })::boolean[])
          AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.unique_key = 'checkout:' || t.id
                          AND j.unique_key IS NOT NULL AND j.state IN ('queued','running'))
          AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.state = 'dead' AND j.kind = 'stripe.checkout'
                          AND j.dead_reason = 'refused' AND j.unique_key = 'checkout:' || t.id)
        ORDER BY t.created_at LIMIT 1000
        """
    }
}
