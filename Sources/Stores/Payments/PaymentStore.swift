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
            SELECT id, tenant_id, livemode, title, budget_cents, pages FROM collect_tasks
            WHERE id = \(task) AND status = 'funding' AND funding_url IS NULL
            """
        )
        guard let row = found.first else { return nil }
        let (id, tenant, isLive, title, budget, pages) = try row.decode(
            String.self,
            Tenant.ID.self,
            Bool.self,
            String.self,
            Int.self,
            Int.self
        )
        return TaskCheckout(
            task: id,
            tenant: tenant,
            isLive: isLive,
            title: title,
            amountCents: budget,
            page: pages == 0 ? nil : pages
        )
    }

    /// Gives a task its page, once; not one that has expired meanwhile.
    package static func keep(_ page: CheckoutPage, for checkout: TaskCheckout) -> SQL {
        """
        UPDATE collect_tasks SET checkout_session_id = \(page.id), funding_url = \(page.url), updated_at = now(),
          page_livemode = \(page.isLive)::boolean
        WHERE id = \(checkout.task) AND status = 'funding' AND funding_url IS NULL AND pages = \(checkout.page ?? 0)
        """
    }

    /// The same at once, or in the transaction that encloses the caller's.
    package func keep(_ page: CheckoutPage, for checkout: TaskCheckout) async throws(PostgresError) {
        _ = try await postgres.query(Self.keep(page, for: checkout))
    }

    // MARK: Payouts

    /// A payout that is not paid yet.
    package struct Due: Sendable {
        package let transfer: PayoutTransfer?
        package let mode: KeyMode
        /// Whether the contributor's account was made with a live key; nil where that is not known.
        package let accountIsLive: Bool?
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
                   p.created_at < now() - interval '20 hours', CASE WHEN a.payouts_enabled THEN a.stripe_account_id END,
                   a.stripe_livemode
            FROM payouts p JOIN submissions s ON s.id = p.submission_id JOIN collect_tasks t ON t.id = s.task_id
            LEFT JOIN payout_accounts a ON a.user_id = p.contributor_id AND a.livemode = t.livemode
            WHERE p.submission_id = \(submission) AND p.status <> 'paid'
            """
        )
        guard let row = found.first else { return nil }
        let (tenant, amount, task, isLive, refusals, isOld, account, accountIsLive) = try row.decode(
            Tenant.ID.self,
            Int.self,
            String.self,
            Bool.self,
            Int.self,
            Bool.self,
            String?.self,
            Bool?.self
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
        return Due(
            transfer: transfer,
            mode: mode,
            accountIsLive: accountIsLive,
            refusals: refusals,
            isOld: isOld
        )
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
    ///
    /// - Parameter isLive: of the key that is to use it: customers of the other mode are none.
    package func customer(of tenant: Tenant.ID, isLive: Bool) async throws(PostgresError) -> String? {
        try await postgres.query(
            """
            SELECT stripe_customer_id FROM billing_customers
            WHERE tenant_id = \(tenant) AND coalesce(stripe_livemode = \(isLive)::boolean, true)
            """
        ).first?.decode(String.self)
    }

    package struct Contributor: Sendable {
        package let email: String?
        /// Where they are paid; nil before they asked for it.
        package let account: String?
    }

    /// - Parameter isLive: of the key that is to use the account: one that another mode's key made is none.
    /// - Returns: nil where there is no such user.
    package func contributor(
        _ user: User.ID,
        _ mode: KeyMode,
        isLive: Bool
    ) async throws(PostgresError) -> Contributor? {
        let found = try await postgres.query(
            """
            SELECT u.email, a.stripe_account_id FROM users u
            LEFT JOIN payout_accounts a ON a.user_id = u.id AND a.livemode = \(mode == .live)::boolean
              AND a.stripe_livemode = \(isLive)::boolean
            WHERE u.id = \(user)
            """
        )
        guard let row = found.first else { return nil }
        let (email, account) = try row.decode(String?.self, String?.self)
        return Contributor(email: email, account: account)
    }

    /// Remembers where a contributor is paid, once per mode. An account that the other mode's key made, or that Stripe has
    /// never said a word of, gives way.
    ///
    /// - Parameter isLive: of the key that made the account.
    package func keep(
        account: String,
        of user: User.ID,
        _ mode: KeyMode,
        isLive: Bool
    ) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            INSERT INTO payout_accounts AS a (user_id, livemode, stripe_account_id, stripe_livemode)
            VALUES (\(user), \(mode == .live)::boolean, \(account), \(isLive)::boolean)
            ON CONFLICT (user_id, livemode) DO UPDATE SET stripe_account_id = excluded.stripe_account_id,
              stripe_livemode = excluded.stripe_livemode, payouts_enabled = false, changed_at = '-infinity',
              last_event_id = ''
            WHERE a.stripe_livemode IS DISTINCT FROM excluded.stripe_livemode
            """
        )
    }
}
