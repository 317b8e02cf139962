package import Domain
package import PostgresClient

/// The statements of Stripe's events: how they come in, and how each effect is guarded. All are for the transaction of
/// the job that processes the event.
package enum StripeLedger {
    // MARK: In and out

    /// Keeps an event; gives a row with its `id` where it was not there yet (contract T-25).
    package static func receive(_ event: StripeEvent, payload: String) -> SQL {
        """
        INSERT INTO stripe_events (id, type, object_id, livemode, created, api_version, payload)
        VALUES (\(event.id), \(event.type), \(event.objectID), \(event.isLive)::boolean,
                to_timestamp(\(event.created)::bigint), \(event.apiVersion), \(payload))
        ON CONFLICT (id) DO NOTHING RETURNING id
        """
    }

    /// An event on its way through the job.
    package struct Opened: Sendable {
        package let payload: String
        /// `received`, `unmatched` or `dead`: it has no effect yet.
        package let isOpen: Bool
        /// The day in which it may find its match is over.
        package let isLate: Bool
        package let attempts: Int
    }

    /// Waits until no other event of the same object is being processed, and reads this one.
    ///
    /// - Returns: nil where there is no such event.
    package static func open(_ id: String, in transaction: PostgresTransaction) async throws(PostgresError) -> Opened? {
        let results = try await transaction.pipeline([
            """
            SELECT pg_advisory_xact_lock(hashtextextended('stripe:' || object_id, 0))
            FROM stripe_events WHERE id = \(id)
            """,
            """
            SELECT payload, status IN ('received','unmatched','dead'), give_up_at < now(), attempts
            FROM stripe_events WHERE id = \(id) FOR UPDATE
            """,
        ])
        guard let row = results.last?.first else { return nil }
        let (payload, isOpen, isLate, attempts) = try row.decode(String.self, Bool.self, Bool.self, Int.self)
        return Opened(payload: payload, isOpen: isOpen, isLate: isLate, attempts: attempts)
    }

    /// What became of an event. The strings are stored.
    package enum Status: String, Sendable, CaseIterable, PostgresEncodable, PostgresDecodable {
        case received, done, ignored, unmatched, dead
    }

    /// Writes down what became of an event.
    package static func book(_ id: String, _ status: Status, error: String?) -> SQL {
        """
        UPDATE stripe_events SET status = \(status), error = \(error), attempts = attempts + 1, processed_at = now()
        WHERE id = \(id)
        """
    }

    // MARK: Tasks

    /// Opens a task that is paid for (contract T-26). No row: see ``task(_:)``.
    package static func fund(_ funding: TaskFunding, isLive: Bool) -> SQL {
        """
        UPDATE collect_tasks SET funded_cents = \(funding.amountCents)::bigint, status = 'open', updated_at = now(),
          funded_by = \(funding.session), payment_intent = \(funding.payment)
        WHERE id = \(funding.task) AND status = 'funding' AND livemode = \(isLive)::boolean
          AND budget_cents <= \(funding.amountCents)::bigint
        RETURNING id
        """
    }

    /// Status, mode, budget and paying session of a task, to say why it was not funded.
    package static func task(_ id: String) -> SQL {
        "SELECT status, livemode, budget_cents, funded_by FROM collect_tasks WHERE id = \(id)"
    }

    // MARK: Connect

    /// Sets whether a contributor can be paid, unless a newer event has said it (contract T-27). Stripe tells seconds only: of
    /// two events of one second, the one that allows payouts wins, whichever comes first.
    package static func apply(account: String, payoutsEnabled: Bool, of event: StripeEvent) -> SQL {
        """
        UPDATE payout_accounts SET payouts_enabled = \(payoutsEnabled)::boolean,
          changed_at = to_timestamp(\(event.created)::bigint), last_event_id = \(event.id),
          stripe_livemode = \(event.isLive)::boolean
        WHERE stripe_account_id = \(account) AND livemode = \(event.isLive)::boolean
          AND (changed_at < to_timestamp(\(event.created)::bigint)
            OR changed_at = to_timestamp(\(event.created)::bigint) AND payouts_enabled <= \(payoutsEnabled)::boolean)
        RETURNING user_id
        """
    }

    package static func accountExists(_ account: String, isLive: Bool) -> SQL {
        """
        SELECT 1 FROM payout_accounts WHERE stripe_account_id = \(account) AND livemode = \(isLive)::boolean
        """
    }

    /// Lets payouts go on whose contributor can be paid by now; gives `submission_id` and `tenant_id` of each.
    ///
    /// - Parameter account: only those to this account; nil is all.
    package static func release(to account: String?) -> SQL {
        """
        WITH free AS (
          SELECT p.submission_id FROM payouts p JOIN submissions s ON s.id = p.submission_id
          JOIN collect_tasks t ON t.id = s.task_id
          JOIN payout_accounts a ON a.user_id = p.contributor_id AND a.livemode = t.livemode AND a.payouts_enabled
            AND coalesce(a.stripe_livemode = t.livemode, true)
          WHERE p.status IN ('blocked','pending')
            AND (\(account)::text IS NULL OR a.stripe_account_id = \(account)::text)
            AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.state IN ('queued','running')
                            AND j.unique_key = 'payout:' || p.submission_id)
          ORDER BY p.submission_id FOR NO KEY UPDATE OF p)
        UPDATE payouts p SET status = 'pending', error = CASE WHEN p.status = 'blocked' THEN NULL ELSE p.error END
        FROM free WHERE p.submission_id = free.submission_id
        RETURNING p.submission_id, p.tenant_id
        """
    }

    /// Ties a transfer to its payout, whoever says it first: the job that made it or Stripe's event (contract T-27).
    ///
    /// - Parameter isLive: of the event; nil where the job says it.
    package static func paid(_ submission: String, by transfer: String, amountCents: Int, isLive: Bool?) -> SQL {
        """
        UPDATE payouts p SET status = 'paid', stripe_transfer_id = \(transfer), error = NULL,
          paid_at = coalesce(p.paid_at, now())
        FROM submissions s JOIN collect_tasks t ON t.id = s.task_id
        WHERE p.submission_id = \(submission) AND s.id = p.submission_id AND p.status <> 'paid'
          AND p.amount_cents = \(amountCents) AND coalesce(t.livemode = \(isLive)::boolean, true)
        RETURNING p.submission_id
        """
    }

    /// Status, transfer, amount and mode of a payout, to say why it was not marked paid.
    package static func payout(_ submission: String) -> SQL {
        """
        SELECT p.status, p.stripe_transfer_id, p.amount_cents, t.livemode
        FROM payouts p JOIN submissions s ON s.id = p.submission_id JOIN collect_tasks t ON t.id = s.task_id
        WHERE p.submission_id = \(submission)
        """
    }
}
