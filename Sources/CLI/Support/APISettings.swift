import API
import FoundationEssentials
import Logging

/// What the API is told, from the settings.
extension Fleet {
    /// - Parameter host: the address it will listen on: only on loopback may the secret be missing.
    /// - Throws: ``SettingError``
    func apiSettings(host: String) throws -> APIService.Settings {
        APIService.Settings(
            publicURL: try publicURL(),
            rates: RateSettings(
                limits: try rates(),
                replicas: try settings.integer("GC_API_REPLICAS", default: 1, in: 1...1000)
            ),
            trustsProxy: settings.flag("GC_TRUST_PROXY"),
            signupIsOpen: settings["GC_SIGNUP"] == "open",
            allowSimulation: settings.flag("GC_SIMULATE"),
            testSettings: settings.testSettings,
            secret: try secret(host: host),
            addresses: try addressGuard(),
            payments: try paymentSettings(),
            blobs: try blobs(),
            signedURLSeconds: try settings.integer("GC_SIGNED_URL_TTL", default: 3600, in: 1...604_800)
        )
    }

    func publicURL() throws -> String? {
        guard let url = settings["GC_PUBLIC_URL"] else { return nil }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw SettingError("GC_PUBLIC_URL", "is \"\(url)\"", "It must begin with http:// or https://.")
        }
        return url
    }

    private func rates() throws -> [RateTier: RateLimit] {
        var limits: [RateTier: RateLimit] = [:]
        for tier in RateTier.limited {
            guard let text = settings[tier.setting] else { continue }
            guard let limit = RateLimit(text) else {
                throw SettingError(tier.setting, "is \"\(text)\"", "It must be count/seconds, such as 120/60.")
            }
            limits[tier] = limit
        }
        return limits
    }

    /// On loopback, for trying things out, the database's address stands in for the secret.
    private func secret(host: String) throws -> [UInt8] {
        if settings["GC_SECRET_KEY"] == nil, !["127.0.0.1", "::1", "localhost"].contains(host) {
            throw SettingError("GC_SECRET_KEY", "is not set, and the API listens on \(host)", Self.secretRemedy)
        }
        return try installationSecret()
    }

    /// What seals secrets and stored answers; the same in every process of the fleet.
    func installationSecret() throws -> [UInt8] {
        guard let text = settings["GC_SECRET_KEY"] else {
            logger.notice("GC_SECRET_KEY is not set: secrets are sealed with a key made of DATABASE_URL")
            return Array((settings["DATABASE_URL"] ?? "").utf8)
        }
        guard let bytes = Data(base64Encoded: text), bytes.count == 32 else {
            throw SettingError("GC_SECRET_KEY", "is not 32 bytes in base64", Self.secretRemedy)
        }
        return Array(bytes)
    }

    private static let secretRemedy = "Make one with `openssl rand -base64 32` and give the same to every process."
}
