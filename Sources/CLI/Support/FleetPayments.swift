import API
import AsyncHTTPClient
import Domain
import Jobs
import Logging
import NIOCore
import Outside

/// Stripe, from the settings.
extension Fleet {
    /// The key of each mode. One that is not live serves both modes where it is the only one, so that test mode can be
    /// tried out whole; a live key never takes money for a test task.
    var stripeKeys: [KeyMode: String] {
        let main = settings["GC_STRIPE_SECRET_KEY"]
        var keys: [KeyMode: String] = [:]
        keys[.live] = main
        keys[.test] = settings["GC_STRIPE_TEST_SECRET_KEY"] ?? main.flatMap { StripeClient.isLive($0) ? nil : $0 }
        return keys
    }

    /// Modes of ours whose key is one for real money.
    var liveStripeKeys: Set<KeyMode> { Set(stripeKeys.filter { StripeClient.isLive($0.value) }.keys) }

    /// What the API is told. Secrets are checked in no other way than by events that they fit.
    ///
    /// - Throws: ``SettingError``
    func paymentSettings() throws -> PaymentSettings {
        let secrets = (settings["GC_STRIPE_WEBHOOK_SECRET"] ?? "").split(separator: ",")
            .map { String($0).trimmed }.filter { !$0.isEmpty }
        return PaymentSettings(
            webhookSecrets: secrets,
            modes: Set(stripeKeys.keys),
            billingIsLive: liveStripeKeys.contains(.live),
            prices: try stripePrices()
        )
    }

    /// What jobs are given.
    ///
    /// - Throws: ``SettingError``
    func paymentServices() throws -> PaymentServices {
        let keys = stripeKeys
        let prices = try stripePrices()
        let base = try stripeBase()
        guard !keys.isEmpty else { return PaymentServices(prices: prices) }
        let returnURL = try publicURL() ?? "http://127.0.0.1:8080"
        if settings["GC_PUBLIC_URL"] == nil {
            logger.warning("GC_PUBLIC_URL is not set: Stripe sends people back to \(returnURL)")
        }
        let client = StripeClient(base: base, keys: keys, publicURL: returnURL, client: Self.stripeHTTP)
        return PaymentServices(
            client: client,
            prices: prices,
            billingIsLive: liveStripeKeys.contains(.live)
        )
    }

    private func stripePrices() throws -> StripePrices {
        guard let text = settings["GC_STRIPE_PRICES"] else { return .none }
        guard let prices = StripePrices(text) else {
            let plans = Plan.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingError(
                "GC_STRIPE_PRICES",
                "is \"\(text)\"",
                "It takes plan=price with commas, such as starter=price_1,professional=price_2; plans are \(plans)."
            )
        }
        return prices
    }

    private func stripeBase() throws -> String {
        guard let base = settings["GC_STRIPE_API_BASE"] else { return StripeClient.defaultBase }
        guard base.hasPrefix("http://") || base.hasPrefix("https://") else {
            throw SettingError(
                "GC_STRIPE_API_BASE",
                "is \"\(base)\"",
                "It must begin with https://, or with http:// for a stand-in; leave it out for Stripe itself."
            )
        }
        return base
    }

    /// One client for the life of the process.
    private static let stripeHTTP = HTTPClient(
        eventLoopGroup: HTTPClient.defaultEventLoopGroup,
        configuration: HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(5))
        )
    )
}
