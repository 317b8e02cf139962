/// What an event asks for. Whether it still may is decided by the guards of the statements that carry it out.
package enum StripeEffect: Sendable, Equatable {
    case fund(TaskFunding)
    /// A page on which nobody can pay any more.
    case expired(task: String, session: String)
    case refund(RefundNews)
    /// So much of a task's payment was given back in all, whoever did it.
    case givenBack(task: String, amountCents: Int)
    /// A subscription was bought: this customer is this tenant.
    case link(tenant: String, customer: String)
    case account(String, payoutsEnabled: Bool)
    case transfer(String, submission: String, amountCents: Int)
    case subscription(SubscriptionNews)
    /// It is ours, and does not fit yet: tried again for a day (decision D-71).
    case unmatched(String)
    /// It is none of ours.
    case ignored(String)
}

/// A paid Checkout session for a collection task.
package struct TaskFunding: Sendable, Equatable {
    package let task: String
    package let session: String
    package let amountCents: Int
    /// Stripe's payment, which a refund names; nil where the event has none.
    package let payment: String?

    package init(task: String, session: String, amountCents: Int, payment: String? = nil) {
        self.task = task
        self.session = session
        self.amountCents = amountCents
        self.payment = payment
    }
}

/// A refund of a task's payment, as one event shows it.
package struct RefundNews: Sendable, Equatable {
    package let id: String
    package let task: String
    package let amountCents: Int
    /// Why Stripe could not carry it out; nil where it did, or is about to.
    package let failure: String?
}

/// A subscription as one event shows it.
package struct SubscriptionNews: Sendable, Equatable {
    package let id: String
    /// What our Checkout wrote into its metadata.
    package let tenant: String?
    package let customer: String?
    /// Nil only where it has ended and its price is not one of ours.
    package let plan: Plan?
    /// Stripe's word.
    package let status: String
    /// Seconds since 1970.
    package let periodEnd: Int?
    package let cancelsAtPeriodEnd: Bool
    /// Decides between events of one second: created 0, updated 1, deleted 2.
    package let rank: Int
}

extension StripeEvent {
    /// Decides what the event asks for. Pure.
    ///
    /// - Parameter prices: which price buys which plan.
    package func effect(_ prices: StripePrices) -> StripeEffect {
        switch type {
        case "checkout.session.completed": checkout()
        case "checkout.session.expired": expired()
        case "refund.created", "refund.updated", "refund.failed", "charge.refund.updated": refund()
        case "charge.refunded": givenBack()
        case "account.updated": account()
        case "transfer.created": transfer()
        case "customer.subscription.created": subscription(prices, rank: 0)
        case "customer.subscription.updated": subscription(prices, rank: 1)
        case "customer.subscription.deleted": subscription(prices, rank: 2)
        default: .ignored("events of this type change nothing here")
        }
    }

    // MARK: Checkout

    private func checkout() -> StripeEffect {
        switch object["mode"]?.stringValue ?? "payment" {
        case "payment": funding()
        case "subscription": link()
        case let mode: .ignored("a Checkout session of mode \(mode) changes nothing here")
        }
    }

    private func funding() -> StripeEffect {
        guard let task = metadata("task_id") ?? object["client_reference_id"]?.stringValue else {
            return .unmatched("the Checkout session names no task: metadata.task_id is missing")
        }
        guard object["payment_status"]?.stringValue == "paid" else {
            return .unmatched("the Checkout session of \(task) is not paid")
        }
        guard object["currency"]?.stringValue?.lowercased() == "usd" else {
            return .unmatched("the Checkout session of \(task) is not in US dollars")
        }
        guard let amount = object["amount_total"]?.intValue else {
            return .unmatched("the Checkout session of \(task) has no amount_total")
        }
        let payment = Self.reference(object["payment_intent"])
        return .fund(TaskFunding(task: task, session: objectID, amountCents: amount, payment: payment))
    }

    private func expired() -> StripeEffect {
        guard object["mode"]?.stringValue ?? "payment" == "payment",
            let task = metadata("task_id") ?? object["client_reference_id"]?.stringValue
        else { return .ignored("the Checkout session names no task") }
        return .expired(task: task, session: objectID)
    }

    private func refund() -> StripeEffect {
        guard let task = metadata("task_id") else { return .ignored("the refund is none of a cancelled task") }
        guard let id = object["id"]?.stringValue, let amount = object["amount"]?.intValue else {
            return .unmatched("the refund of \(task) has no id or no amount")
        }
        let status = object["status"]?.stringValue
        let hasFailed = status == "failed" || status == "canceled"
        let reason = object["failure_reason"]?.stringValue ?? status ?? "unknown"
        return .refund(
            RefundNews(
                id: id,
                task: task,
                amountCents: amount,
                failure: hasFailed ? "Stripe could not give the money back: \(reason)" : nil
            )
        )
    }

    private func givenBack() -> StripeEffect {
        guard let task = metadata("task_id") else { return .ignored("the charge is none of a task") }
        guard let amount = object["amount_refunded"]?.intValue else {
            return .ignored("the charge of \(task) has no amount_refunded")
        }
        return .givenBack(task: task, amountCents: amount)
    }

    private func link() -> StripeEffect {
        guard let tenant = metadata("tenant_id") ?? object["client_reference_id"]?.stringValue,
            let customer = Self.reference(object["customer"])
        else { return .ignored("the Checkout session names no tenant or no customer") }
        return .link(tenant: tenant, customer: customer)
    }

    // MARK: Connect

    private func account() -> StripeEffect {
        guard let id = object["id"]?.stringValue, let enabled = object["payouts_enabled"]?.boolValue else {
            return .ignored("the account has no id or no payouts_enabled")
        }
        return .account(id, payoutsEnabled: enabled)
    }

    private func transfer() -> StripeEffect {
        guard let submission = metadata("submission_id") else { return .ignored("the transfer pays no submission") }
        guard let id = object["id"]?.stringValue, let amount = object["amount"]?.intValue else {
            return .unmatched("the transfer for \(submission) has no id or no amount")
        }
        return .transfer(id, submission: submission, amountCents: amount)
    }

    // MARK: Subscriptions

    private func subscription(_ prices: StripePrices, rank: Int) -> StripeEffect {
        guard let id = object["id"]?.stringValue, let told = object["status"]?.stringValue else {
            return .ignored("the subscription has no id or no status")
        }
        let status = rank == 2 ? "canceled" : told
        let plan = prices.plan(of: object)
        guard plan != nil || SubscriptionNews.ended.contains(status) else {
            let names = StripePrices.names(in: object).joined(separator: ", ")
            return .unmatched("no plan belongs to the price \(names): add it to GC_STRIPE_PRICES")
        }
        let item = object["items"]?["data"]?.arrayValue?.first
        return .subscription(
            SubscriptionNews(
                id: id,
                tenant: metadata("tenant_id"),
                customer: Self.reference(object["customer"]),
                plan: plan,
                status: status,
                // Moved from the subscription to its items in API version 2025-03-31.
                periodEnd: object["current_period_end"]?.intValue ?? item?["current_period_end"]?.intValue,
                cancelsAtPeriodEnd: object["cancel_at_period_end"]?.boolValue ?? false,
                rank: rank
            )
        )
    }

    private func metadata(_ key: String) -> String? { object["metadata"]?[key]?.stringValue }

    /// An id, or the object itself where it was expanded.
    private static func reference(_ value: JSON?) -> String? { value?.stringValue ?? value?["id"]?.stringValue }
}

extension SubscriptionNews {
    /// Stripe's words for a subscription that never comes back.
    package static let ended: Set = ["canceled", "incomplete_expired"]
}

extension StripeEvent {
    /// A subscription as Stripe lists it, read like the newest event about it.
    ///
    /// - Parameter object: Stripe's subscription.
    /// - Returns: nil where it has no id or status, or its price belongs to no plan and it has not ended.
    package static func subscription(listed object: JSON, _ prices: StripePrices) -> SubscriptionNews? {
        let event: JSON = ["id": "listed", "type": "customer.subscription.updated", "data": ["object": object]]
        guard case .subscription(let news)? = StripeEvent(event)?.effect(prices) else { return nil }
        return news
    }
}
