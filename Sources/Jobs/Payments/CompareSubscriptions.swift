package import Domain
import Logging
import PostgresClient
package import Queue
import Stores

/// Compares the subscriptions that we know with all that Stripe lists, and puts right what differs (contract C-12): events
/// can be lost where the receiver was away for longer than Stripe tries. It should find nothing.
package struct CompareSubscriptions: Job {
    package static let kind = JobKind.compareSubscriptions
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 9,
        timeout: .seconds(900),
        retry: RetryPolicy(attempts: 3, base: .seconds(60), ceiling: .seconds(600))
    )

    package init() {}

    /// Enqueues the job of the day, unless it was enqueued within the last 24 hours.
    ///
    /// - Parameter modes: those that have a key; none turns the comparison off.
    package static func daily(_ queue: JobQueue, modes: Set<KeyMode>) async throws {
        guard !modes.isEmpty else { return }
        let once = Uniqueness("stripe.compare", scope: .window(.seconds(86_400)))
        try await queue.transaction { transaction in
            _ = try await transaction.add([NewJob(CompareSubscriptions(), uniqueness: once)])
        }
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        let payments = context.services.payments
        guard let client = payments.client(for: .live) ?? payments.client(for: .test) else {
            return PaymentServices.noKey(.live)
        }
        // Ours first: what an event changes while Stripe is asked is newer than the list, and is left alone.
        let ours = try await known(context, payments.billingIsLive)
        let theirs: [SubscriptionNews]
        do {
            theirs = try await Self.listed(client, payments.prices, context)
        } catch {
            return try error.outcome()
        }
        let changes = Self.changes(ours, theirs)
        try await context.settle { transaction in
            try await Self.apply(changes, payments.billingIsLive, context.logger, transaction)
            _ = try await transaction.sql.query(
                context.recording([
                    "listed": .integer(theirs.count), "differing": .integer(changes.count),
                ])
            )
        }
        return .settled
    }

    private func known(_ context: JobContext, _ isLive: Bool) async throws -> [String: StripeLedger.Known] {
        let rows = try await context.queue.postgres.query(StripeLedger.all(isLive: isLive))
        var known: [String: StripeLedger.Known] = [:]
        for row in rows {
            let subscription = try StripeLedger.known(row)
            known[subscription.id] = subscription
        }
        return known
    }

    /// Everything that Stripe lists, page by page.
    private static func listed(
        _ client: any Payments,
        _ prices: StripePrices,
        _ context: JobContext
    ) async throws(PaymentFault) -> [SubscriptionNews] {
        var news: [SubscriptionNews] = []
        var last: String?
        while true {
            let part = try await client.subscriptions(after: last)
            news += part.items.compactMap { StripeEvent.subscription(listed: $0, prices) }
            guard part.hasMore, let next = part.items.last?["id"]?.stringValue, next != last else { return news }
            last = next
        }
    }

    // MARK: What differs

    enum Change: Sendable, Equatable {
        /// Stripe says something else of one that we know.
        case correct(SubscriptionNews)
        /// Stripe has one that we never heard of.
        case add(SubscriptionNews)
        /// We have one that goes on and that Stripe does not list: an operator must look.
        case missing(String)
    }

    /// Pure. Those that have ended here are left alone: what has ended stays ended.
    static func changes(
        _ ours: [String: StripeLedger.Known],
        _ theirs: [SubscriptionNews]
    ) -> [(Change, StripeLedger.Known?)] {
        var changes: [(Change, StripeLedger.Known?)] = []
        for news in theirs {
            if let known = ours[news.id] {
                if differs(known, news) { changes.append((.correct(news), known)) }
            } else if !SubscriptionNews.ended.contains(news.status) {
                changes.append((.add(news), nil))
            }
        }
        let listed = Set(theirs.map(\.id))
        for known in ours.values.sorted(by: { $0.id < $1.id })
        where !listed.contains(known.id) && !SubscriptionNews.ended.contains(known.status) {
            changes.append((.missing(known.id), known))
        }
        return changes
    }

    private static func differs(_ known: StripeLedger.Known, _ news: SubscriptionNews) -> Bool {
        guard !SubscriptionNews.ended.contains(known.status) else { return false }
        return known.status != news.status || news.plan.map { $0 != known.plan } ?? false
            || known.periodEnd != news.periodEnd || known.cancelsAtPeriodEnd != news.cancelsAtPeriodEnd
    }

    private static func apply(
        _ changes: [(Change, StripeLedger.Known?)],
        _ isLive: Bool,
        _ logger: Logger,
        _ transaction: QueueTransaction
    ) async throws {
        for (change, known) in changes {
            switch change {
            case .correct(let news):
                guard let known else { continue }
                let written = try await transaction.sql.query(StripeLedger.correct(news, from: known)).first
                guard written != nil else { continue }
                say("a subscription was not as Stripe has it, and is put right", news.id, news.status, logger)
            case .add(let news):
                let owner: Tenant.ID? = try await transaction.sql.query(StripeLedger.tenant(of: news)).first?
                    .get("tenant")
                guard let tenant = owner else {
                    say("Stripe has a subscription of no tenant of ours", news.id, news.status, logger)
                    continue
                }
                _ = try await transaction.sql.query(StripeLedger.add(news, tenant: tenant, isLive: isLive))
                say("Stripe has a subscription that no event told us of: it is added", news.id, news.status, logger)
            case .missing(let id):
                say("Stripe does not list this subscription: look for it in the Dashboard", id, "unknown", logger)
            }
        }
    }

    private static func say(_ text: String, _ subscription: String, _ status: String, _ logger: Logger) {
        logger.warning("\(text)", metadata: ["subscription": "\(subscription)", "status": "\(status)"])
    }
}
