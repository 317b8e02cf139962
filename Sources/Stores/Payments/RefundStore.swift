package import Domain
package import PostgresClient

/// What goes back to buyers whose tasks were cancelled. At most one refund per task; `collect_tasks` has its state.
package struct RefundStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Notes that a cancelled task's unspent money goes back: what was funded, less the rewards of what was approved. Money
    /// that the operator booked by hand did not come through Stripe, and goes back by hand.
    ///
    /// - Returns: a statement that gives `id` and `tenant_id`; no row where nothing is to be paid back through Stripe.
    package static func ask(_ task: String) -> SQL {
        """
        UPDATE collect_tasks SET refund_status = 'pending', refund_asked_at = coalesce(refund_asked_at, now()),
          refund_cents = funded_cents - approved_count::bigint * reward_cents, refund_error = NULL,
          refund_retried_at = CASE WHEN refund_status = 'failed' THEN clock_timestamp() ELSE refund_retried_at END
        WHERE id = \(task) AND status = 'cancelled' AND funded_by IS NOT NULL
          AND coalesce(refund_status, 'failed') = 'failed'
          AND funded_cents > approved_count::bigint * reward_cents
        RETURNING id, tenant_id
        """
    }

    /// A refund that is not made yet.
    package struct Due: Sendable {
        package let refund: TaskRefund
        /// The Checkout session that was paid, to find the payment where its event did not name it.
        package let session: String
        /// Definite refusals so far: each needs another key.
        package let refusals: Int
        /// Older than Stripe keeps keys: what an earlier call did must be looked for.
        package let isOld: Bool
    }

    /// - Returns: nil where it is made, was not asked for, or there is no such task.
    package func due(_ task: String) async throws(PostgresError) -> Due? {
        let found = try await postgres.query(
            """
            SELECT tenant_id, livemode, refund_cents, payment_intent, coalesce(funded_by, ''), refund_refusals,
                   refund_asked_at < now() - interval '20 hours'
            FROM collect_tasks WHERE id = \(task) AND refund_status IN ('pending','failed')
            """
        )
        guard let row = found.first else { return nil }
        let (tenant, isLive, amount, payment, session, refusals, isOld) = try row.decode(
            Tenant.ID.self,
            Bool.self,
            Int.self,
            String?.self,
            String.self,
            Int.self,
            Bool.self
        )
        let refund = TaskRefund(
            task: task,
            tenant: tenant,
            mode: isLive ? .live : .test,
            payment: payment ?? "",
            amountCents: amount
        )
        return Due(refund: refund, session: session, refusals: refusals, isOld: isOld)
    }

    /// Writes down a definite refusal; the next try has another key.
    ///
    /// - Parameter isFinal: nobody will try by itself.
    package func refused(_ task: String, _ reason: String, isFinal: Bool) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            UPDATE collect_tasks SET refund_error = \(reason), refund_refusals = refund_refusals + 1,
              refund_status = CASE WHEN \(isFinal)::boolean THEN 'failed' ELSE refund_status END
            WHERE id = \(task) AND refund_status <> 'done'
            """
        )
    }
}

/// The statements by which Stripe's events, and our own calls, move a refund.
extension StripeLedger {
    /// Books a payment that came after its task was cancelled, so that it can go back. Only where none was booked before.
    ///
    /// - Returns: a statement that gives a row where it is booked; ``RefundStore/ask(_:)`` is the next.
    package static func fundLate(_ funding: TaskFunding, isLive: Bool) -> SQL {
        """
        UPDATE collect_tasks SET funded_cents = \(funding.amountCents)::bigint, updated_at = now(),
          funded_by = \(funding.session), payment_intent = \(funding.payment)
        WHERE id = \(funding.task) AND status = 'cancelled' AND livemode = \(isLive)::boolean AND funded_cents = 0
        RETURNING id
        """
    }

    /// Ties a refund to its task, whoever says it first: the job that made it or Stripe's event.
    ///
    /// - Parameter isLive: of the event; nil where the job says it.
    package static func refunded(_ task: String, by refund: String, amountCents: Int, isLive: Bool?) -> SQL {
        """
        UPDATE collect_tasks SET refund_status = 'done', stripe_refund_id = \(refund), refund_error = NULL
        WHERE id = \(task) AND refund_status IS NOT NULL AND refund_cents = \(amountCents)::bigint
          AND (stripe_refund_id IS NULL OR refund_status <> 'done' AND stripe_refund_id <> \(refund))
          AND coalesce(livemode = \(isLive)::boolean, true)
        RETURNING id
        """
    }

    /// A refund that Stripe could not carry out after all: the money is back with us, and an operator must look.
    package static func refundFailed(_ task: String, _ refund: String, _ reason: String, isLive: Bool) -> SQL {
        """
        UPDATE collect_tasks SET refund_status = 'failed', stripe_refund_id = \(refund), refund_error = \(reason),
          refund_refusals = refund_refusals + 1
        WHERE id = \(task) AND refund_status IS NOT NULL AND livemode = \(isLive)::boolean
          AND (stripe_refund_id IS NULL OR stripe_refund_id = \(refund) AND refund_status = 'done')
        RETURNING id
        """
    }

    /// The payment of a task was given back in the Dashboard, before we did it: at least as much as we owe.
    package static func refundedByHand(_ task: String, amountCents: Int, isLive: Bool) -> SQL {
        """
        UPDATE collect_tasks SET refund_status = 'done', refund_error = NULL
        WHERE id = \(task) AND refund_status IN ('pending','failed') AND livemode = \(isLive)::boolean
          -- A refund of ours has events of its own; the charge's may come before or after them.
          AND stripe_refund_id IS NULL AND refund_cents <= \(amountCents)::bigint
        RETURNING id
        """
    }

    /// Status, refund, amount and mode, to say why a task's refund was not tied.
    package static func refund(_ task: String) -> SQL {
        "SELECT refund_status, stripe_refund_id, refund_cents, livemode FROM collect_tasks WHERE id = \(task)"
    }
}
