import Domain
import FoundationEssentials
import Glibc
import Jobs
import NIOCore
import Queue
import Stores

/// `POST /api/webhooks/stripe` (contract T-24, T-25): an event is kept, and answered for, before anything is done about
/// it.
struct StripeWebhookRoutes: Routes {
    let queue: JobQueue
    let secrets: [String]

    var table: [Route] {
        // No limit: Stripe sends in bursts, and what we refuse it sends again for days.
        [.post("/api/webhooks/stripe", access: .open, tier: .unlimited, use: receive)]
    }

    /// What is refused is never kept, and the answer does not say which check failed.
    @Sendable
    func receive(_ request: APIRequest) async throws -> APIResponse {
        guard !secrets.isEmpty else { throw APIError.unavailable }
        guard let header = request.stripeSignature else { throw APIError.invalid("Invalid signature") }
        let body = Data(try await request.bytes().readableBytesView)
        guard StripeSignature.isGood(header, body: body, secrets: secrets, now: Glibc.time(nil)) else {
            throw APIError.invalid("Invalid signature")
        }
        guard let event = StripeEvent(payload: body) else { throw APIError.invalid("The body is not a Stripe event") }
        try await StripeInbox.accept(event, payload: String(decoding: body, as: UTF8.self), into: queue)
        return .ok(["received": true])
    }
}
