package import Domain
package import PostgresClient

/// A Checkout page on which somebody could still pay for a task that no longer waits for that money.
package struct LeftoverPage: Sendable {
    /// What the page was opened for.
    package let checkout: TaskCheckout
    /// The page's id at Stripe; nil where its answer was not heard, or is still to come.
    package let session: String?
    /// Whether real money is paid there; nil where that is not known.
    package let isLive: Bool?

    /// - Returns: nil where the task waits for its money, was paid on that page, or has waited for none for so long that any
    ///   page has ended by itself: Stripe keeps them open for 24 hours.
    package static func find(_ task: String, in postgres: Postgres) async throws(PostgresError) -> LeftoverPage? {
        let found = try await postgres.query(
            """
            SELECT tenant_id, livemode, title, budget_cents, pages, checkout_session_id, page_livemode
            FROM collect_tasks
            WHERE id = \(task) AND status <> 'funding' AND updated_at > now() - interval '25 hours'
              AND coalesce(funded_by <> checkout_session_id, funded_by IS NULL)
            """
        )
        guard let row = found.first else { return nil }
        let (tenant, isLive, title, budget, pages, session, pageIsLive) = try row.decode(
            Tenant.ID.self,
            Bool.self,
            String.self,
            Int.self,
            Int.self,
            String?.self,
            Bool?.self
        )
        let checkout = TaskCheckout(
            task: task,
            tenant: tenant,
            isLive: isLive,
            title: title,
            amountCents: budget,
            page: pages == 0 ? nil : pages
        )
        return LeftoverPage(checkout: checkout, session: session, isLive: pageIsLive)
    }

    /// A statement that gives a row where the task has a page, or a job that may be opening one.
    package static func mayExist(for task: String) -> SQL {
        """
        SELECT 1 FROM collect_tasks t WHERE t.id = \(task) AND (t.checkout_session_id IS NOT NULL OR EXISTS (
          SELECT 1 FROM jobs j WHERE j.unique_key = 'checkout:' || t.id AND j.state IN ('queued','running')))
        """
    }
}
