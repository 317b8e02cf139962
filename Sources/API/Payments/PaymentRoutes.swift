import Domain
import Jobs
import Queue
import Stores

/// `/api/billing/…`: pages at Stripe where a tenant's owner buys and changes its plan (contract S-10).
struct PaymentRoutes: Routes {
    let payments: PaymentStore
    let settings: PaymentSettings
    let answer: AwaitedAnswer

    /// How long a page may take.
    static let patience = Duration.seconds(12)

    init(stores: Stores, queue: JobQueue, settings: PaymentSettings) {
        payments = stores.payments
        self.settings = settings
        answer = AwaitedAnswer(queue: queue, patience: Self.patience)
    }

    var table: [Route] {
        [
            .waiting("/api/billing/checkout", access: .session, use: checkout),
            .waiting("/api/billing/portal", access: .session, use: portal),
        ]
    }

    @Sendable
    func checkout(_ request: APIRequest) async throws -> APIResponse {
        let tenant = try owner(request)
        let names = Plan.allCases.map(\.rawValue).joined(separator: ", ")
        guard let plan = try await request.object()["plan"]?.stringValue.flatMap(Plan.init(rawValue:)) else {
            throw APIError.invalid("plan must be one of \(names)")
        }
        guard !settings.modes.isEmpty, let price = settings.prices.price(of: plan) else { throw APIError.unavailable }
        return try await page(OpenBillingPage(tenant: tenant, price: price), tenant)
    }

    @Sendable
    func portal(_ request: APIRequest) async throws -> APIResponse {
        let tenant = try owner(request)
        guard !settings.modes.isEmpty else { throw APIError.unavailable }
        guard try await payments.customer(of: tenant, isLive: settings.billingIsLive) != nil else {
            throw APIError.conflict("Nothing was bought yet. Choose a plan first.")
        }
        return try await page(OpenBillingPage(tenant: tenant, price: nil), tenant)
    }

    private func page(_ job: OpenBillingPage, _ tenant: Tenant.ID) async throws -> APIResponse {
        .ok(["url": .string(try await answer.text("url", of: job, tenant: tenant))])
    }

    private func owner(_ request: APIRequest) throws -> Tenant.ID {
        let caller = try request.caller
        guard caller.role == .owner else { throw APIError.forbidden("Only the owner may do this") }
        return caller.tenant
    }
}
