package import Domain

/// What the API knows of payments. It holds no key of Stripe's: whatever needs one is a job.
package struct PaymentSettings: Sendable {
    /// Any of them may have signed an event; none turns the receiver off.
    package let webhookSecrets: [String]
    /// The modes for which there is a key.
    package let modes: Set<KeyMode>
    /// Whether plans are sold for real money.
    package let billingIsLive: Bool
    package let prices: StripePrices
    /// How long a new task's answer waits for its page.
    package let pagePatience: Duration

    package static let none = PaymentSettings(webhookSecrets: [], modes: [], prices: .none)

    package init(
        webhookSecrets: [String],
        modes: Set<KeyMode>,
        billingIsLive: Bool = false,
        prices: StripePrices,
        pagePatience: Duration = .seconds(2)
    ) {
        self.webhookSecrets = webhookSecrets
        self.modes = modes
        self.billingIsLive = billingIsLive
        self.prices = prices
        self.pagePatience = pagePatience
    }

    /// Whether tasks of a mode are funded, and their payouts made, through Stripe.
    package func isConfigured(_ mode: KeyMode) -> Bool { modes.contains(mode) }
}
