package import Domain
package import PostgresClient

/// What the jobs that talk to Stripe read and write.
package struct PaymentStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    // MARK: Funding

    /// A task that waits for its money and has no page to pay on yet; nil where it has one, or waits for none.
    package func unfunded(_ task: String) async throws(PostgresError) -> TaskCheckout? {
        let found = try await postgres.query(
            """
            SELECT id, tenant_id, livemode, title, budget_cents FROM collect_tasks
            WHERE id = \(task) AND status = 'funding' AND funding_url IS NULL
            """
        )
        guard let row = found.first else { return nil }
        let (id, tenant, isLive, title, budget) = try row.decode(
            String.self,
            Tenant.ID.self,
            Bool.self,
            String.self,
            Int.self
        )
        return TaskCheckout(task: id, tenant: tenant, isLive: isLive, title: title, amountCents: budget)
    }

    /// Gives a task its page, once.
    package static func keep(_ page: CheckoutPage, for task: String) -> SQL {
        """
        UPDATE collect_tasks SET checkout_session_id = \(page.id), funding_url = \(page.url), updated_at = now()
        WHERE id = \(task) AND status = 'funding' AND funding_url IS NULL
        """
    }

    /// The same at once, or in the transaction that encloses the caller's.
    package func keep(_ page: CheckoutPage, for task: String) async throws(PostgresError) {
        _ = try await postgres.query(Self.keep(page, for: task))
    }

    // MARK: Payouts

    /// A payout that is not paid yet.
    package struct Due: Sendable {
        package let transfer: PayoutTransfer?
        package let mode: KeyMode
        /// Definite refusals so far: each needs another key.
        package let refusals: Int
        /// Older than Stripe keeps keys: what an earlier call did must be looked for.
        package let isOld: Bool
    }

    /// - Returns: nil where it is paid, or there is none. Its `transfer` is nil while the contributor cannot be paid.
    package func due(_ submission: String) async throws(PostgresError) -> Due? {
        let found = try await postgres.query(
            """
            SELECT p.tenant_id, p.amount_cents, t.id, t.livemode, p.refusals,
                   p.created_at < now() - interval '20 hours', CASE WHEN a.payouts_enabled THEN a.stripe_account_id END
            FROM payouts p JOIN submissions s ON s.id = p.submission_id JOIN collect_tasks t ON t.id = s.task_id
            LEFT JOIN payout_accounts a ON a.user_id = p.contributor_id AND a.livemode = t.livemode
            WHERE p.submission_id = \(submission) AND p.status <> 'paid'
            """
        )
        guard let row = found.first else { return nil }
        let (tenant, amount, task, isLive, refusals, isOld, account) = try row.decode(
            Tenant.ID.self,
            Int.self,
            String.self,
            Bool.self,
            Int.self,
            Bool.self,
            String?.self
        )
        let mode: KeyMode = isLive ? .live : .test
        let transfer = account.map { account in
            PayoutTransfer(
                submission: submission,
                task: task,
                tenant: tenant,
                mode: mode,
                account: account,
                amountCents: amount
            )
        }
        return Due(transfer: transfer, mode: mode, refusals: refusals, isOld: isOld)
    }

    /// Holds a payout until its contributor can be paid.
    package static func block(_ submission: String) -> SQL {
        """
        UPDATE payouts SET status = 'blocked', error = 'the contributor cannot be paid yet: onboarding is not complete'
        WHERE submission_id = \(submission) AND status <> 'paid'
        """
    }

    /// Writes down a definite refusal; the next try has another key.
    ///
    /// - Parameter isFinal: nobody will try by itself.
    package func refused(_ submission: String, _ reason: String, isFinal: Bool) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            UPDATE payouts SET status = CASE WHEN \(isFinal)::boolean THEN 'failed' ELSE status END, error = \(reason),
              refusals = refusals + 1
            WHERE submission_id = \(submission) AND status <> 'paid'
            """
        )
    }

    // MARK: Accounts at Stripe

    /// The customer that a tenant is; nil before it bought anything.
    package func customer(of tenant: Tenant.ID) async throws(PostgresError) -> String? {
        try await postgres.query("SELECT stripe_customer_id FROM billing_customers WHERE tenant_id = \(tenant)")
            .first?.decode(String.self)
    }

    package struct Contributor: Sendable {
        package let email: String?
        /// Where they are paid; nil before they asked for it.
        package let account: String?
    }

    /// - Returns: nil where there is no such user.
    package func contributor(_ user: User.ID, _ mode: KeyMode) async throws(PostgresError) -> Contributor? {
        let found = try await postgres.query(
            """
            SELECT u.email, a.stripe_account_id FROM users u
            LEFT JOIN payout_accounts a ON a.user_id = u.id AND a.livemode = \(mode == .live)::boolean
            WHERE u.id = \(user)
            """
        )
        guard let row = found.first else { return nil }
        let (email, account) = try row.decode(String?.self, String?.self)
        return Contributor(email: email, account: account)
    }

    /// Remembers where a contributor is paid, once per mode.
    package func keep(account: String, of user: User.ID, _ mode: KeyMode) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            INSERT INTO payout_accounts (user_id, livemode, stripe_account_id)
            VALUES (\(user), \(mode == .live)::boolean, \(account)) ON CONFLICT (user_id, livemode) DO NOTHING
            """
        )
    }
}
