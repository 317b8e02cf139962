package import Domain
package import PostgresClient

/// The statements that let Stripe's subscriptions drive the plans of tenants (decisions D-21, D-71, D-72).
extension StripeLedger {
    /// The tenant that a subscription belongs to: by its metadata, its customer, or what we know of it.
    package static func tenant(of news: SubscriptionNews) -> SQL {
        """
        SELECT coalesce(
          (SELECT id FROM tenants WHERE id = \(news.tenant)),
          (SELECT tenant_id FROM billing_customers WHERE stripe_customer_id = \(news.customer)),
          (SELECT tenant_id FROM subscriptions WHERE id = \(news.id))) AS tenant
        """
    }

    /// Writes a subscription down as an event shows it, unless a newer event did, or it has ended: what has ended stays
    /// ended. Entitlements are a view on this table, so they follow with the commit.
    package static func apply(_ news: SubscriptionNews, tenant: Tenant.ID, of event: StripeEvent) -> SQL {
        """
        INSERT INTO subscriptions AS s (id, tenant_id, plan, status, current_period_end, cancel_at_period_end,
          last_event_created, last_event_rank, last_event_id, stripe_livemode)
        VALUES (\(news.id), \(tenant), coalesce(\(news.plan)::text, 'starter'), \(news.status),
                to_timestamp(\(news.periodEnd)::bigint), \(news.cancelsAtPeriodEnd)::boolean,
                to_timestamp(\(event.created)::bigint), \(news.rank)::smallint, \(event.id), \(event.isLive)::boolean)
        ON CONFLICT (id) DO UPDATE SET plan = coalesce(\(news.plan)::text, s.plan), status = excluded.status,
          current_period_end = excluded.current_period_end, cancel_at_period_end = excluded.cancel_at_period_end,
          last_event_created = excluded.last_event_created, last_event_rank = excluded.last_event_rank,
          last_event_id = excluded.last_event_id, stripe_livemode = excluded.stripe_livemode, updated_at = now()
        WHERE s.tenant_id = excluded.tenant_id AND s.status <> ALL(\(Array(SubscriptionNews.ended).sorted())::text[])
          AND (s.last_event_created, s.last_event_rank, s.last_event_id)
            < (excluded.last_event_created, excluded.last_event_rank, excluded.last_event_id)
        RETURNING status
        """
    }

    package static func tenantExists(_ tenant: String) -> SQL { "SELECT 1 FROM tenants WHERE id = \(tenant)" }

    /// Remembers which customer a tenant is. The newest event wins; a customer never moves to another tenant.
    package static func link(_ tenant: String, to customer: String, of event: StripeEvent) -> SQL {
        """
        INSERT INTO billing_customers AS b (tenant_id, stripe_customer_id, linked_at, stripe_livemode)
        SELECT t.id, \(customer), to_timestamp(\(event.created)::bigint), \(event.isLive)::boolean FROM tenants t
        WHERE t.id = \(tenant) AND NOT EXISTS (
          SELECT 1 FROM billing_customers o WHERE o.stripe_customer_id = \(customer) AND o.tenant_id <> t.id)
        ON CONFLICT (tenant_id) DO UPDATE SET stripe_customer_id = excluded.stripe_customer_id,
          linked_at = excluded.linked_at, stripe_livemode = excluded.stripe_livemode
        WHERE (b.linked_at, b.stripe_customer_id) < (excluded.linked_at, excluded.stripe_customer_id)
        RETURNING tenant_id
        """
    }

    // MARK: The daily comparison

    /// A subscription as we know it, for the comparison with Stripe's.
    package struct Known: Sendable {
        package let id: String
        package let plan: Plan
        package let status: String
        /// Seconds since 1970.
        package let periodEnd: Int?
        package let cancelsAtPeriodEnd: Bool
        /// The newest event that was applied: a newer one takes precedence over what the comparison finds.
        package let lastEvent: String
    }

    /// Every subscription that came from Stripe in one mode, for ``known(_:)``.
    package static func all(isLive: Bool) -> SQL {
        """
        SELECT id, plan, status, extract(epoch FROM current_period_end)::bigint, cancel_at_period_end, last_event_id
        FROM subscriptions WHERE NOT starts_with(id, 'operator:') AND coalesce(stripe_livemode = \(isLive)::boolean, true)
        """
    }

    package static func known(_ row: Row) throws(PostgresError) -> Known {
        let (id, plan, status, periodEnd, cancels, event) = try row.decode(
            String.self,
            Plan.self,
            String.self,
            Int?.self,
            Bool.self,
            String.self
        )
        return Known(
            id: id,
            plan: plan,
            status: status,
            periodEnd: periodEnd,
            cancelsAtPeriodEnd: cancels,
            lastEvent: event
        )
    }

    /// Puts a subscription right as Stripe lists it, unless an event came in the meantime, or it has ended. The moment of the
    /// last event stays, so that the next one is applied whatever its time.
    package static func correct(_ news: SubscriptionNews, from known: Known) -> SQL {
        """
        UPDATE subscriptions SET plan = coalesce(\(news.plan)::text, plan), status = \(news.status),
          current_period_end = to_timestamp(\(news.periodEnd)::bigint),
          cancel_at_period_end = \(news.cancelsAtPeriodEnd)::boolean, updated_at = now()
        WHERE id = \(news.id) AND last_event_id = \(known.lastEvent)
          AND status <> ALL(\(Array(SubscriptionNews.ended).sorted())::text[])
        RETURNING tenant_id
        """
    }

    /// Writes down a subscription that no event told us of. Any event of it is newer.
    package static func add(_ news: SubscriptionNews, tenant: Tenant.ID, isLive: Bool) -> SQL {
        """
        INSERT INTO subscriptions (id, tenant_id, plan, status, current_period_end, cancel_at_period_end,
          stripe_livemode)
        VALUES (\(news.id), \(tenant), coalesce(\(news.plan)::text, 'starter'), \(news.status),
                to_timestamp(\(news.periodEnd)::bigint), \(news.cancelsAtPeriodEnd)::boolean, \(isLive)::boolean)
        ON CONFLICT (id) DO NOTHING RETURNING tenant_id
        """
    }
}
