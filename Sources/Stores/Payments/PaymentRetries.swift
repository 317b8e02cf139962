package import Domain
package import PostgresClient

/// Payouts and refunds whose job died, and how they are tried again.
package enum PaymentRetries {
    /// Marks payouts failed whose job is dead: no job will come back to them. One that an operator has tried again since
    /// then is left to its new job.
    package static let buryPayouts: SQL = """
        UPDATE payouts p SET status = 'failed', error = d.error
        FROM (SELECT p.submission_id, max(coalesce(j.error, 'its job is dead')) AS error
              FROM payouts p JOIN jobs j ON j.unique_key = 'payout:' || p.submission_id
              WHERE p.status = 'pending' AND j.kind = 'payout.transfer' AND j.state = 'dead'
                AND j.finished_at > coalesce(p.retried_at, '-infinity')
                AND NOT EXISTS (SELECT 1 FROM jobs l WHERE l.state IN ('queued','running')
                                AND l.unique_key = 'payout:' || p.submission_id)
              GROUP BY p.submission_id ORDER BY p.submission_id LIMIT 1000) d
        WHERE p.submission_id = d.submission_id AND p.status = 'pending'
        """

    /// The same for refunds.
    package static let buryRefunds: SQL = """
        UPDATE collect_tasks t SET refund_status = 'failed', refund_error = coalesce(j.error, 'its job is dead')
        FROM jobs j
        WHERE t.refund_status = 'pending' AND j.kind = 'stripe.refund' AND j.state = 'dead'
          AND j.unique_key = 'refund:' || t.id AND j.finished_at > coalesce(t.refund_retried_at, '-infinity')
          AND NOT EXISTS (SELECT 1 FROM jobs l WHERE l.state IN ('queued','running')
                          AND l.unique_key = 'refund:' || t.id)
        """

    /// Refunds that wait and have no job; gives `id` and `tenant_id`.
    ///
    /// - Parameter modes: those that have a key; true is live.
    package static func forgottenRefunds(_ modes: [Bool]) -> SQL {
        """
        SELECT t.id, t.tenant_id FROM collect_tasks t
        WHERE t.refund_status = 'pending' AND t.livemode = ANY(\(modes)::boolean[])
          AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.state IN ('queued','running')
                          AND j.unique_key = 'refund:' || t.id)
        ORDER BY t.refund_asked_at LIMIT 1000
        """
    }

    /// Lets a failed payout be tried again; gives `submission_id` and `tenant_id`. The key at Stripe stays the same unless
    /// Stripe refused it, so what was made and not heard of is not made again.
    package static func reopenPayout(_ submission: String) -> SQL {
        """
        UPDATE payouts SET status = 'pending', error = NULL, retried_at = clock_timestamp()
        WHERE submission_id = \(submission) AND status = 'failed' RETURNING submission_id, tenant_id
        """
    }
}

/// A payout as an operator looks at it.
package struct PayoutEntry: Sendable {
    package let submission: String
    package let tenant: Tenant.ID
    package let contributor: String
    package let amountCents: Int
    /// `pending`, `blocked`, `paid` or `failed`.
    package let status: String
    package let transfer: String?
    package let error: String?

    /// Newest first.
    ///
    /// - Parameters:
    ///   - status: only these; nil is all.
    ///   - limit: at most so many.
    package static func list(
        _ status: String?,
        limit: Int,
        from postgres: Postgres
    ) async throws(PostgresError) -> [PayoutEntry] {
        let rows = try await postgres.query(
            """
            SELECT submission_id, tenant_id, contributor_id, amount_cents, status, stripe_transfer_id, error FROM payouts
            WHERE \(status)::text IS NULL OR status = \(status)
            ORDER BY created_at DESC, submission_id DESC LIMIT \(limit)
            """
        )
        var entries: [PayoutEntry] = []
        for row in rows {
            let (submission, tenant, contributor, amount, status, transfer, error) = try row.decode(
                String.self,
                Tenant.ID.self,
                String.self,
                Int.self,
                String.self,
                String?.self,
                String?.self
            )
            entries.append(
                PayoutEntry(
                    submission: submission,
                    tenant: tenant,
                    contributor: contributor,
                    amountCents: amount,
                    status: status,
                    transfer: transfer,
                    error: error
                )
            )
        }
        return entries
    }
}
