package import Domain

/// What it takes to be paid and to pay.
package struct PaymentServices: Sendable {
    /// Nil where no key of a payment provider is set.
    package let client: (any Payments)?
    package let prices: StripePrices
    /// The key for subscriptions is a live one: then test-mode subscriptions give nobody a plan.
    package let billingIsLive: Bool

    package init(client: (any Payments)? = nil, prices: StripePrices = .none, billingIsLive: Bool = false) {
        self.client = client
        self.prices = prices
        self.billingIsLive = billingIsLive
    }

    /// The provider, where it can be used in this mode.
    func client(for mode: KeyMode) -> (any Payments)? {
        client.flatMap { $0.serves(mode) ? $0 : nil }
    }

    /// How a job ends that another worker, with a key, may do.
    static func noKey(_ mode: KeyMode) -> Outcome {
        .snooze(.seconds(60), "no Stripe key for \(mode.rawValue) mode: set GC_STRIPE_SECRET_KEY for every worker")
    }
}

extension PaymentFault {
    /// How a job ends that met this: refused for good, or tried again when the provider says, else with backoff.
    func outcome() throws -> Outcome {
        switch self {
        case .refused(let text): return .refuse(text)
        case .later(let text, let wait?): return .retry(after: wait, text)
        case .later, .shortOfMoney: throw self
        }
    }
}
