package import Domain
private import Stores

/// Opens the page at Stripe on which a contributor says who they are and where they are paid, and makes their account
/// before, once; answers `{"url"}` (contract S-48).
package struct OpenOnboarding: Job {
    package static let kind = JobKind.openOnboarding
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 0,
        timeout: .seconds(40),
        retry: RetryPolicy(attempts: 2, base: .milliseconds(500), ceiling: .seconds(1))
    )

    let user: User.ID
    let isLive: Bool
    /// Makes Stripe's Idempotency-Key of the page.
    let request: String

    package init(user: User.ID, mode: KeyMode) {
        self.user = user
        isLive = mode == .live
        request = CUID.make()
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        let mode: KeyMode = isLive ? .live : .test
        let store = context.services.stores.payments
        guard let client = context.services.payments.client(for: mode) else {
            return .refuse("no Stripe key for \(mode.rawValue) mode: set GC_STRIPE_SECRET_KEY for every worker")
        }
        let isLive = client.isLive(mode)
        guard let contributor = try await store.contributor(user, mode, isLive: isLive) else {
            return .cancel("there is no such user")
        }
        do {
            let account = try await account(contributor, mode, client)
            try await store.keep(account: account, of: user, mode, isLive: isLive)
            let key = "onboarding:\(request)"
            return .answer(["url": .string(try await client.openOnboarding(of: account, mode, key: key))])
        } catch let fault as PaymentFault {
            return try fault.outcome()
        }
    }

    private func account(
        _ contributor: PaymentStore.Contributor,
        _ mode: KeyMode,
        _ client: any Payments
    ) async throws(PaymentFault) -> String {
        if let account = contributor.account { return account }
        let key = "account:\(user):\(mode.rawValue)"
        return try await client.openAccount(mode, for: user, email: contributor.email, key: key)
    }
}
