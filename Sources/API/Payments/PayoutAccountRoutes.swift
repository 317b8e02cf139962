import Domain
import Jobs
import Queue

/// `POST /api/contributor/payout-account`: the page at Stripe where a contributor says where to pay them (contract
/// S-48).
struct PayoutAccountRoutes: Routes {
    let settings: PaymentSettings
    let answer: AwaitedAnswer

    init(queue: JobQueue, settings: PaymentSettings) {
        self.settings = settings
        answer = AwaitedAnswer(queue: queue, patience: PaymentRoutes.patience)
    }

    var table: [Route] {
        [.waiting("/api/contributor/payout-account", access: .contributor, use: open)]
    }

    /// `{"mode": "test"}` asks for the account that test tasks pay to; without it, live ones.
    @Sendable
    func open(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let body = try await request.optionalObject()
        let named = body["mode"].map { $0.stringValue ?? "" } ?? KeyMode.live.rawValue
        guard let mode = KeyMode(rawValue: named) else {
            throw APIError.invalid("mode must be live or test")
        }
        guard settings.isConfigured(mode) else { throw APIError.unavailable }
        let job = OpenOnboarding(user: caller.user, mode: mode)
        return .ok(["onboarding_url": .string(try await answer.text("url", of: job, tenant: caller.tenant))])
    }
}
