/// Money at a payment provider. Every call that makes something carries a key, and a call that is made again with the
/// same key makes nothing more (Stripe API, "Idempotent requests"; keys are good for 24 hours).
package protocol Payments: Sendable {
    /// Whether there is a key for this mode.
    func serves(_ mode: KeyMode) -> Bool

    /// Whether the key for this mode is one for real money. Where a test key is the only one, it serves both modes of ours;
    /// what one kind of key made, the other does not know.
    func isLive(_ mode: KeyMode) -> Bool

    /// Opens a page on which the buyer of a task pays exactly its budget.
    func openCheckout(_ checkout: TaskCheckout, key: String) async throws(PaymentFault) -> CheckoutPage

    /// Closes such a page, so that nobody pays on it any more. Well done too where it has ended before, or was paid.
    ///
    /// - Parameter session: the page's id.
    func closeCheckout(_ session: String, _ mode: KeyMode, key: String) async throws(PaymentFault)

    /// Opens a page on which a tenant subscribes to a plan.
    ///
    /// - Parameters:
    ///   - price: the provider's id of what is sold.
    ///   - customer: the tenant's, where it has one already.
    func openSubscription(
        to price: String,
        for tenant: Tenant.ID,
        customer: String?,
        key: String
    ) async throws(PaymentFault) -> CheckoutPage

    /// Opens the page on which a customer changes or ends a subscription.
    ///
    /// - Returns: its URL, good for minutes.
    func openPortal(for customer: String, key: String) async throws(PaymentFault) -> String

    /// Makes the account that a contributor is paid to.
    ///
    /// - Returns: its id.
    func openAccount(
        _ mode: KeyMode,
        for user: User.ID,
        email: String?,
        key: String
    ) async throws(PaymentFault) -> String

    /// Opens the page on which a contributor tells the provider who they are.
    ///
    /// - Returns: its URL, good for one visit within minutes.
    func openOnboarding(of account: String, _ mode: KeyMode, key: String) async throws(PaymentFault) -> String

    /// Pays a contributor.
    ///
    /// - Returns: the transfer's id.
    func transfer(_ transfer: PayoutTransfer, key: String) async throws(PaymentFault) -> String

    /// Gives a buyer money back.
    ///
    /// - Returns: the refund's id.
    func refund(_ refund: TaskRefund, key: String) async throws(PaymentFault) -> String

    /// The refund that was made for a task, where there is one that did not fail: for keys that are no longer good.
    func findRefund(_ refund: TaskRefund) async throws(PaymentFault) -> String?

    /// The payment that a Checkout session came to; nil where nothing was paid.
    func payment(of session: String, _ mode: KeyMode) async throws(PaymentFault) -> String?

    /// A part of all subscriptions there are, ended ones too.
    ///
    /// - Parameter last: the id of the last one of the part before; nil begins.
    func subscriptions(after last: String?) async throws(PaymentFault) -> SubscriptionList

    /// The transfer that was made for a submission, where there is one: for keys that are no longer good.
    func findTransfer(for submission: String, _ mode: KeyMode) async throws(PaymentFault) -> String?
}

/// A collection task whose buyer is to pay.
package struct TaskCheckout: Sendable, Equatable, Codable {
    package let task: String
    package let tenant: Tenant.ID
    package let isLive: Bool
    package let title: String
    /// US cents, at most 99,999,999.
    package let amountCents: Int
    /// How many pages of the task have expired before this one; nil is none.
    package let page: Int?

    package init(
        task: String,
        tenant: Tenant.ID,
        isLive: Bool,
        title: String,
        amountCents: Int,
        page: Int? = nil
    ) {
        self.task = task
        self.tenant = tenant
        self.isLive = isLive
        self.title = title
        self.amountCents = amountCents
        self.page = page
    }

    package var mode: KeyMode { isLive ? .live : .test }
}

/// A page of the provider's on which somebody pays.
package struct CheckoutPage: Sendable, Equatable {
    package let id: String
    package let url: String
    /// Whether real money is paid there; nil where that is not known.
    package let isLive: Bool?

    package init(id: String, url: String, isLive: Bool? = nil) {
        self.id = id
        self.url = url
        self.isLive = isLive
    }
}

/// What goes back to the buyer of a cancelled task.
package struct TaskRefund: Sendable, Equatable {
    package let task: String
    package let tenant: Tenant.ID
    package let mode: KeyMode
    /// The provider's id of the payment; empty where it must be looked up.
    package var payment: String
    /// US cents.
    package let amountCents: Int

    package init(task: String, tenant: Tenant.ID, mode: KeyMode, payment: String, amountCents: Int) {
        self.task = task
        self.tenant = tenant
        self.mode = mode
        self.payment = payment
        self.amountCents = amountCents
    }
}

/// A part of the provider's subscriptions.
package struct SubscriptionList: Sendable, Equatable {
    /// The provider's objects.
    package let items: [JSON]
    package let hasMore: Bool

    package init(items: [JSON], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }
}

/// What a contributor earns with one submission.
package struct PayoutTransfer: Sendable, Equatable {
    package let submission: String
    package let task: String
    package let tenant: Tenant.ID
    package let mode: KeyMode
    package let account: String
    /// US cents.
    package let amountCents: Int

    package init(
        submission: String,
        task: String,
        tenant: Tenant.ID,
        mode: KeyMode,
        account: String,
        amountCents: Int
    ) {
        self.submission = submission
        self.task = task
        self.tenant = tenant
        self.mode = mode
        self.account = account
        self.amountCents = amountCents
    }
}

/// Why a payment provider did not do it. No key of ours is ever in the text.
package enum PaymentFault: Error, Equatable, CustomStringConvertible {
    /// It said no, and will say no again.
    case refused(String)
    /// It said no to this key, and may say yes to another one later: the balance does not suffice.
    case shortOfMoney(String)
    /// It was busy, unwell or not reached; what became of the call is not known.
    case later(String, after: Duration?)

    package var description: String {
        switch self {
        case .refused(let text), .shortOfMoney(let text), .later(let text, _): text
        }
    }
}
