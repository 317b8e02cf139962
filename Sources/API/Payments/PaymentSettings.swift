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

    package static let none = PaymentSettings(webhookSecrets: [], modes: [], prices: .none)

    package init(webhookSecrets: [String], modes: Set<KeyMode>, billingIsLive: Bool = false, prices: StripePrices) {
        self.webhookSecrets = webhookSecrets
        self.modes = modes
        self.billingIsLive = billingIsLive
        self.prices = prices
    }

    /// Whether tasks of a mode are funded, and their payouts made, through Stripe.
    package func isConfigured(_ mode: KeyMode) -> Bool { modes.contains(mode) }
}
