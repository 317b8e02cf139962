import Domain
import PostgresClient
import Queue
import Stores

/// Carries out one effect with guarded statements, within the transaction that ends the event's job.
struct StripeDeeds {
    let event: StripeEvent
    let payments: PaymentServices
    let transaction: QueueTransaction

    func carryOut(_ effect: StripeEffect) async throws -> StripeResult {
        switch effect {
        case .ignored(let reason): .ignored(reason)
        case .unmatched(let reason): .unmatched(reason)
        case .fund(let funding): try await fund(funding)
        case .expired(let task, let session): try await expired(task, session)
        case .refund(let news): try await refund(news)
        case .givenBack(let task, let amount): try await givenBack(task, amount)
        case .link(let tenant, let customer): try await link(tenant, customer)
        case .account(let account, let enabled): try await self.account(account, enabled)
        case .transfer(let transfer, let submission, let amount): try await paid(submission, transfer, amount)
        case .subscription(let news): try await subscription(news)
        }
    }

    private func query(_ sql: SQL) async throws -> PostgresResult { try await transaction.sql.query(sql) }

    // MARK: Tasks

    private func fund(_ funding: TaskFunding) async throws -> StripeResult {
        guard try await query(StripeLedger.fund(funding, isLive: event.isLive)).first == nil else { return .done }
        guard try await query(StripeLedger.fundLate(funding, isLive: event.isLive)).first == nil else {
            // It came after the cancellation: all of it goes back.
            try await transaction.enqueue(RefundTask.jobs(query(RefundStore.ask(funding.task))))
            return .done
        }
        guard let row = try await query(StripeLedger.task(funding.task)).first else {
            return .unmatched("there is no task \(funding.task)")
        }
        let (status, isLive, budget, payer) = try row.decode(String.self, Bool.self, Int.self, String?.self)
        guard isLive == event.isLive else {
            return .unmatched(
                "task \(funding.task) is of the other mode: test money funds no live task, nor live a test one"
            )
        }
        guard status != "funding" else {
            return .unmatched("task \(funding.task) costs \(budget) cents, and \(funding.amountCents) were paid")
        }
        guard payer != funding.session else { return .ignored("this payment has funded the task already") }
        return .unmatched(
            "task \(funding.task) is \(status) and was paid again, by \(funding.session): refund it at Stripe"
        )
    }

    private func expired(_ task: String, _ session: String) async throws -> StripeResult {
        let forgotten = try await query(StripeModes.expire(session, of: task, isLive: event.isLive))
        guard forgotten.first != nil else { return .ignored("task \(task) has another page, or needs none") }
        try await transaction.enqueue(CreateCheckout.jobs(forgotten))
        return .done
    }

    // MARK: Refunds

    private func refund(_ news: RefundNews) async throws -> StripeResult {
        let statement =
            if let reason = news.failure {
                StripeLedger.refundFailed(news.task, news.id, reason, isLive: event.isLive)
            } else {
                StripeLedger.refunded(news.task, by: news.id, amountCents: news.amountCents, isLive: event.isLive)
            }
        guard try await query(statement).first == nil else { return .done }
        guard let row = try await query(StripeLedger.refund(news.task)).first else {
            return .unmatched("there is no task \(news.task)")
        }
        let (status, known, due, isLive) = try row.decode(String?.self, String?.self, Int?.self, Bool.self)
        guard isLive == event.isLive else { return .unmatched("task \(news.task) is of the other mode") }
        guard known != news.id, news.failure == nil else { return .ignored("the task knows of this refund already") }
        guard status != nil, let due else { return .ignored("task \(news.task) has not asked for a refund") }
        return .unmatched(
            "\(news.amountCents) cents of task \(news.task) were given back by \(news.id), and \(due) are due "
                + "by \(known ?? "a refund to come"): see it at Stripe"
        )
    }

    private func givenBack(_ task: String, _ amount: Int) async throws -> StripeResult {
        let settled = try await query(StripeLedger.refundedByHand(task, amountCents: amount, isLive: event.isLive))
        return settled.first == nil ? .ignored("task \(task) waits for no refund of so much") : .done
    }

    // MARK: Connect

    private func account(_ account: String, _ enabled: Bool) async throws -> StripeResult {
        let applied = try await query(
            StripeLedger.apply(account: account, payoutsEnabled: enabled, of: event)
        ).first
        guard applied != nil else {
            let isKnown = try await query(StripeLedger.accountExists(account, isLive: event.isLive)).first != nil
            return isKnown ? .ignored(Self.stale) : .unmatched("no contributor is paid to \(account)")
        }
        guard enabled else { return .done }
        let freed = try await query(StripeLedger.release(to: account))
        try await transaction.enqueue(TransferPayout.jobs(freed))
        return .done
    }

    private func paid(_ submission: String, _ transfer: String, _ amount: Int) async throws -> StripeResult {
        let tied = try await query(
            StripeLedger.paid(submission, by: transfer, amountCents: amount, isLive: event.isLive)
        ).first
        guard tied == nil else { return .done }
        guard let row = try await query(StripeLedger.payout(submission)).first else {
            return .unmatched("there is no payout for \(submission)")
        }
        let (status, known, due, isLive) = try row.decode(String.self, String?.self, Int.self, Bool.self)
        guard isLive == event.isLive else { return .unmatched("the payout for \(submission) is of the other mode") }
        guard due == amount else {
            return .unmatched("\(amount) cents were transferred for \(submission), and \(due) are due")
        }
        guard known != transfer else { return .ignored("the payout knows this transfer already") }
        return .unmatched(
            "the payout for \(submission) is \(status) by \(known ?? "another transfer"): see it at Stripe"
        )
    }

    // MARK: Subscriptions

    private func link(_ tenant: String, _ customer: String) async throws -> StripeResult {
        guard isForBilling else { return .ignored(Self.testBilling) }
        guard try await query(StripeLedger.tenantExists(tenant)).first != nil else {
            return .unmatched("there is no tenant \(tenant)")
        }
        let linked = try await query(StripeLedger.link(tenant, to: customer, of: event)).first
        return linked == nil ? .ignored(Self.stale) : .done
    }

    private func subscription(_ news: SubscriptionNews) async throws -> StripeResult {
        guard isForBilling else { return .ignored(Self.testBilling) }
        let found = try await query(StripeLedger.tenant(of: news))
        let owner: Tenant.ID? = try found.first?.get("tenant")
        guard let tenant = owner else {
            return .unmatched("the subscription \(news.id) names no tenant of ours, and its customer is none")
        }
        let applied = try await query(StripeLedger.apply(news, tenant: tenant, of: event)).first
        if let customer = news.customer {
            _ = try await query(StripeLedger.link(tenant.rawValue, to: customer, of: event))
        }
        return applied == nil ? .ignored(Self.stale) : .done
    }

    /// A test card must not buy a plan where live ones are sold.
    private var isForBilling: Bool { event.isLive || !payments.billingIsLive }

    private static let stale = "a newer event has said more"
    private static let testBilling = "test mode gives no plan where live mode is set up"
}
