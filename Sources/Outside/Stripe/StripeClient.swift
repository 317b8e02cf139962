package import AsyncHTTPClient
package import Domain
private import FoundationEssentials
private import NIOCore
private import NIOHTTP1

/// Stripe's API over HTTPS. One attempt per call: trying again is the job's business.
package struct StripeClient: Payments {
    /// The version whose answers we read; webhooks are read in any.
    package static let apiVersion = "2024-06-20"
    package static let defaultBase = "https://api.stripe.com"

    private let base: String
    private let publicURL: String
    private let keys: [KeyMode: String]
    private let client: HTTPClient
    private let limit: TimeAmount

    /// - Parameters:
    ///   - base: where the API is, without `/v1`.
    ///   - keys: the secret key of each mode that is set up.
    ///   - publicURL: where Stripe sends people back to.
    ///   - client: the shared one; it is not shut down here.
    ///   - limit: seconds for one call.
    package init(
        base: String = defaultBase,
        keys: [KeyMode: String],
        publicURL: String,
        client: HTTPClient,
        limit: Int = 15
    ) {
        self.base = Self.withoutSlash(base)
        self.keys = keys
        self.publicURL = Self.withoutSlash(publicURL)
        self.client = client
        self.limit = .seconds(Int64(limit))
    }

    private static func withoutSlash(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    package func serves(_ mode: KeyMode) -> Bool { keys[mode] != nil }

    package func isLive(_ mode: KeyMode) -> Bool { keys[mode].map(Self.isLive) ?? false }

    /// Whether a secret key is one for real money.
    package static func isLive(_ key: String) -> Bool { key.hasPrefix("sk_live_") || key.hasPrefix("rk_live_") }

    // MARK: Pages

    package func openCheckout(_ checkout: TaskCheckout, key: String) async throws(PaymentFault) -> CheckoutPage {
        try page(await send(.checkout(checkout, returningTo: publicURL, key: key)), checkout.mode)
    }

    package func closeCheckout(_ session: String, _ mode: KeyMode, key: String) async throws(PaymentFault) {
        do {
            _ = try await send(.expire(session, mode, key: key))
        } catch {
            guard case .refused = error else { throw error }
            // Stripe closes open pages only. One that was paid or has ended is as closed as can be.
            let status = try await send(.session(session, mode))["status"]?.stringValue
            guard status == "complete" || status == "expired" else { throw error }
        }
    }

    package func openSubscription(
        to price: String,
        for tenant: Tenant.ID,
        customer: String?,
        key: String
    ) async throws(PaymentFault) -> CheckoutPage {
        let call = StripeCall.subscription(
            to: price,
            for: tenant,
            customer: customer,
            returningTo: publicURL,
            key: key,
            mode: billingMode
        )
        return try page(await send(call), billingMode)
    }

    package func openPortal(for customer: String, key: String) async throws(PaymentFault) -> String {
        try Self.text("url", await send(.portal(for: customer, returningTo: publicURL, key: key, mode: billingMode)))
    }

    /// Subscriptions know no mode of ours: they are sold with the live key, where there is one.
    private var billingMode: KeyMode { serves(.live) ? .live : .test }

    // MARK: Contributors

    package func openAccount(
        _ mode: KeyMode,
        for user: User.ID,
        email: String?,
        key: String
    ) async throws(PaymentFault) -> String {
        try Self.text("id", await send(.account(mode, for: user, email: email, key: key)))
    }

    package func openOnboarding(
        of account: String,
        _ mode: KeyMode,
        key: String
    ) async throws(PaymentFault) -> String {
        try Self.text("url", await send(.onboarding(of: account, mode, returningTo: publicURL, key: key)))
    }

    package func transfer(_ transfer: PayoutTransfer, key: String) async throws(PaymentFault) -> String {
        try Self.text("id", await send(.transfer(transfer, key: key)))
    }

    package func findTransfer(for submission: String, _ mode: KeyMode) async throws(PaymentFault) -> String? {
        let found = try await send(.transfers(for: submission, mode))
        return found["data"]?.arrayValue?.first?["id"]?.stringValue
    }

    // MARK: Refunds

    package func refund(_ refund: TaskRefund, key: String) async throws(PaymentFault) -> String {
        try Self.text("id", await send(.refund(refund, key: key)))
    }

    package func findRefund(_ refund: TaskRefund) async throws(PaymentFault) -> String? {
        let found = try await send(.refunds(of: refund))["data"]?.arrayValue ?? []
        let ours = found.first { made in
            let status = made["status"]?.stringValue
            return made["metadata"]?["task_id"]?.stringValue == refund.task && status != "failed"
                && status != "canceled"
        }
        return ours?["id"]?.stringValue
    }

    package func payment(of session: String, _ mode: KeyMode) async throws(PaymentFault) -> String? {
        let payment = try await send(.session(session, mode))["payment_intent"]
        return payment?.stringValue ?? payment?["id"]?.stringValue
    }

    // MARK: Subscriptions

    package func subscriptions(after last: String?) async throws(PaymentFault) -> SubscriptionList {
        let found = try await send(.subscriptions(after: last, billingMode))
        guard let items = found["data"]?.arrayValue else { throw .later("Stripe's list has no data", after: nil) }
        return SubscriptionList(items: items, hasMore: found["has_more"]?.boolValue ?? false)
    }

    // MARK: The wire

    private func page(_ answer: JSON, _ mode: KeyMode) throws(PaymentFault) -> CheckoutPage {
        CheckoutPage(id: try Self.text("id", answer), url: try Self.text("url", answer), isLive: isLive(mode))
    }

    private static func text(_ member: String, _ answer: JSON) throws(PaymentFault) -> String {
        guard let text = answer[member]?.stringValue else {
            throw .later("Stripe's answer has no \(member)", after: nil)
        }
        return text
    }

    private func send(_ call: StripeCall) async throws(PaymentFault) -> JSON {
        guard let secret = keys[call.mode] else {
            throw .refused("there is no Stripe key for \(call.mode.rawValue) mode")
        }
        let status: Int
        let headers: HTTPHeaders
        let body: Data
        do {
            let response = try await client.execute(request(call, secret), timeout: limit)
            status = Int(response.status.code)
            headers = response.headers
            body = Data(try await response.body.collect(upTo: 4 << 20).readableBytesView)
        } catch {
            throw .later("Stripe was not reached: \(Redacted.text("\(error)"))", after: nil)
        }
        guard (200..<300).contains(status) else {
            throw StripeFault.fault(
                status: status,
                retryAfter: headers.first(name: "Retry-After"),
                shouldRetry: headers.first(name: "Stripe-Should-Retry"),
                body: body
            )
        }
        guard let answer = try? JSON(parsing: body) else { throw .later("Stripe's answer is no JSON", after: nil) }
        return answer
    }

    private func request(_ call: StripeCall, _ secret: String) -> HTTPClientRequest {
        let isGet = call.key == nil
        var request = HTTPClientRequest(url: base + call.path + (isGet && !call.fields.isEmpty ? "?\(call.form)" : ""))
        request.headers.add(name: "Authorization", value: "Bearer \(secret)")
        request.headers.add(name: "Stripe-Version", value: Self.apiVersion)
        request.headers.add(name: "User-Agent", value: "Groundcrew/1")
        guard let key = call.key else { return request }
        request.method = .POST
        request.headers.add(name: "Idempotency-Key", value: key)
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: call.form))
        return request
    }
}
