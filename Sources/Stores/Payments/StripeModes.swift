package import PostgresClient

/// What is done about objects at Stripe that the present keys cannot use: those of the other mode, and pages that expired.
package enum StripeModes {
    /// Takes a page that has expired from its task, so that another one is made. Once per page.
    ///
    /// - Returns: a statement that gives `id` and `tenant_id`; no row where the task has another page or needs none.
    package static func expire(_ session: String, of task: String, isLive: Bool) -> SQL {
        """
        UPDATE collect_tasks SET \(clause: forgetPage)
        WHERE id = \(task) AND status = 'funding' AND checkout_session_id = \(session)
          AND coalesce(page_livemode, \(isLive)::boolean) = \(isLive)::boolean
        RETURNING id, tenant_id
        """
    }

    /// Takes pages away that the keys of the other mode made: nobody could pay on them what opens the task.
    ///
    /// - Parameters:
    ///   - modes: those of ours that have a key; true is live.
    ///   - liveKeys: those of them whose key is a live one.
    package static func forgetPages(_ modes: [Bool], liveKeys: [Bool]) -> SQL {
        """
        UPDATE collect_tasks SET \(clause: forgetPage)
        WHERE status = 'funding' AND livemode = ANY(\(modes)::boolean[])
          AND page_livemode <> (livemode = ANY(\(liveKeys)::boolean[]))
        """
    }

    private static let forgetPage: SQL = """
        funding_url = NULL, checkout_session_id = NULL, page_livemode = NULL, pages = pages + 1, updated_at = now()
        """

    /// Where live plans are sold, those of test cards give nothing; where they are not, they do again.
    ///
    /// - Returns: a statement that gives `id`, `tenant_id` and `is_void` of what was changed.
    package static func judgeSubscriptions(billingIsLive: Bool) -> SQL {
        """
        UPDATE subscriptions SET is_void = NOT is_void, updated_at = now()
        WHERE stripe_livemode IS FALSE AND is_void <> \(billingIsLive)::boolean
        RETURNING id, tenant_id, is_void
        """
    }
}
