import Domain
import Logging

/// Stops a tenant that looks for a way into our network: whose urls were refused too often gets none asked for at all, for as
/// long as those refusals are within the window of ``RateTier/denied``.
///
/// A refusal tells the one who asks something, however little; 20 an hour are enough for honest mistakes.
struct DenialThrottle: Sendable {
    let limiter: RateLimiter
    let logger: Logger

    /// Before a url of the tenant is looked at.
    ///
    /// - Throws: 429
    func check(_ tenant: Tenant.ID) async throws {
        guard let admission = await limiter.look(Self.principal(tenant), .denied), !admission.isAdmitted else { return }
        throw APIError.denied(retryAfter: admission.retryAfter)
    }

    /// A url that its text gives away.
    func count(_ refusal: GuardedURL.Refusal, of tenant: Tenant.ID) async {
        if refusal.reason.isProbe { await count(refusal.reason.rawValue, of: tenant) }
    }

    /// - Parameter reason: for the log; without the url.
    func count(_ reason: String, of tenant: Tenant.ID) async {
        guard let admission = await limiter.admit(Self.principal(tenant), .denied) else { return }
        logger.notice("a url was refused", metadata: ["tenant": "\(tenant)", "reason": "\(reason)"])
        // Said once: what comes after the last one is refused before it gets here.
        if admission.isAdmitted, admission.remaining == 0 {
            logger.warning(
                "a tenant's urls are refused for a while: too many of them led to what is not public",
                metadata: ["tenant": "\(tenant)", "limit": "\(admission.limit)", "seconds": "\(admission.retryAfter)"]
            )
        }
    }

    private static func principal(_ tenant: Tenant.ID) -> String { "tenant:\(tenant)" }
}
