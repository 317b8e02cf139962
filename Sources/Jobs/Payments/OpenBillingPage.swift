package import Domain
private import Stores

/// Opens a page at Stripe on which a tenant's owner buys, changes or ends its plan; answers `{"url"}` (contract S-10).
package struct OpenBillingPage: Job {
    package static let kind = JobKind.openBillingPage
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 0,
        timeout: .seconds(20),
        retry: RetryPolicy(attempts: 2, base: .milliseconds(500), ceiling: .seconds(1))
    )

    let tenant: Tenant.ID
    /// Stripe's id of what is bought; nil opens the portal.
    let price: String?
    /// Makes Stripe's Idempotency-Key, so that a second attempt opens the same page.
    let request: String

    package init(tenant: Tenant.ID, price: String?) {
        self.tenant = tenant
        self.price = price
        request = CUID.make()
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        let payments = context.services.payments
        guard let client = payments.client(for: .live) ?? payments.client(for: .test) else {
            return .refuse("no Stripe key: set GC_STRIPE_SECRET_KEY for every worker")
        }
        let customer = try await context.services.stores.payments.customer(
            of: tenant,
            isLive: payments.billingIsLive
        )
        do {
            return .answer(["url": .string(try await open(client, customer))])
        } catch {
            return try error.outcome()
        }
    }

    private func open(_ client: any Payments, _ customer: String?) async throws(PaymentFault) -> String {
        let key = "billing:\(request)"
        if let price {
            return try await client.openSubscription(to: price, for: tenant, customer: customer, key: key).url
        }
        guard let customer else { throw .refused("the tenant has bought nothing yet, so there is no portal for it") }
        return try await client.openPortal(for: customer, key: key)
    }
}
