import Domain

/// One request to Stripe's API (v1), before it is sent: fields in Stripe's bracket notation. Pure, so that tests can
/// read it.
struct StripeCall: Sendable, Equatable {
    let path: String
    let fields: [Field]
    /// Stripe's Idempotency-Key, at most 255 characters; nil is a GET.
    let key: String?
    let mode: KeyMode

    struct Field: Sendable, Equatable {
        let name: String
        let value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// `application/x-www-form-urlencoded`: everything but unreserved characters is escaped (RFC 3986, 2.3).
    var form: String {
        fields.map { "\($0.name.percentEncoded())=\($0.value.percentEncoded())" }.joined(separator: "&")
    }
}

extension StripeCall {
    /// A Checkout session for exactly the task's budget. Cards only: what clears days later would leave the task in
    /// between.
    static func checkout(_ checkout: TaskCheckout, returningTo base: String, key: String) -> StripeCall {
        let metadata = [
            ("task_id", checkout.task), ("tenant_id", checkout.tenant.rawValue), ("mode", checkout.mode.rawValue),
        ]
        let fields = [
            Field("mode", "payment"),
            Field("payment_method_types[0]", "card"),
            Field("client_reference_id", checkout.task),
            Field("line_items[0][quantity]", "1"),
            Field("line_items[0][price_data][currency]", "usd"),
            Field("line_items[0][price_data][unit_amount]", String(checkout.amountCents)),
            Field("line_items[0][price_data][product_data][name]", checkout.title),
            Field("payment_intent_data[transfer_group]", checkout.task),
            Field("success_url", "\(base)/?checkout=paid&task=\(checkout.task)"),
            Field("cancel_url", "\(base)/?checkout=cancelled&task=\(checkout.task)"),
        ]
        let notes = metadata.map { Field("metadata[\($0.0)]", $0.1) }
        let intent = metadata.map { Field("payment_intent_data[metadata][\($0.0)]", $0.1) }
        return StripeCall(path: "/v1/checkout/sessions", fields: fields + notes + intent, key: key, mode: checkout.mode)
    }

    static func expire(_ session: String, _ mode: KeyMode, key: String) -> StripeCall {
        StripeCall(path: "/v1/checkout/sessions/\(session.percentEncoded())/expire", fields: [], key: key, mode: mode)
    }

    static func subscription(
        to price: String,
        for tenant: Tenant.ID,
        customer: String?,
        returningTo base: String,
        key: String,
        mode: KeyMode
    ) -> StripeCall {
        let fields = [
            Field("mode", "subscription"),
            Field("client_reference_id", tenant.rawValue),
            Field("line_items[0][price]", price),
            Field("line_items[0][quantity]", "1"),
            Field("metadata[tenant_id]", tenant.rawValue),
            Field("subscription_data[metadata][tenant_id]", tenant.rawValue),
            Field("success_url", "\(base)/?billing=subscribed"),
            Field("cancel_url", "\(base)/?billing=cancelled"),
        ]
        let known = customer.map { [Field("customer", $0)] } ?? []
        return StripeCall(path: "/v1/checkout/sessions", fields: fields + known, key: key, mode: mode)
    }

    static func portal(for customer: String, returningTo base: String, key: String, mode: KeyMode) -> StripeCall {
        let fields = [Field("customer", customer), Field("return_url", "\(base)/?billing=changed")]
        return StripeCall(path: "/v1/billing_portal/sessions", fields: fields, key: key, mode: mode)
    }

    static func account(_ mode: KeyMode, for user: User.ID, email: String?, key: String) -> StripeCall {
        let fields = [
            Field("type", "express"),
            Field("capabilities[transfers][requested]", "true"),
            Field("metadata[user_id]", user.rawValue),
        ]
        return StripeCall(
            path: "/v1/accounts",
            fields: fields + (email.map { [Field("email", $0)] } ?? []),
            key: key,
            mode: mode
        )
    }

    static func onboarding(of account: String, _ mode: KeyMode, returningTo base: String, key: String) -> StripeCall {
        let fields = [
            Field("account", account),
            Field("type", "account_onboarding"),
            Field("refresh_url", "\(base)/?onboarding=again"),
            Field("return_url", "\(base)/?onboarding=done"),
        ]
        return StripeCall(path: "/v1/account_links", fields: fields, key: key, mode: mode)
    }

    /// The submission is the transfer group, so that the transfer can be found by it.
    static func transfer(_ transfer: PayoutTransfer, key: String) -> StripeCall {
        let fields = [
            Field("amount", String(transfer.amountCents)),
            Field("currency", "usd"),
            Field("destination", transfer.account),
            Field("transfer_group", transfer.submission),
            Field("metadata[submission_id]", transfer.submission),
            Field("metadata[task_id]", transfer.task),
            Field("metadata[tenant_id]", transfer.tenant.rawValue),
        ]
        return StripeCall(path: "/v1/transfers", fields: fields, key: key, mode: transfer.mode)
    }

    static func refund(_ refund: TaskRefund, key: String) -> StripeCall {
        let fields = [
            Field("payment_intent", refund.payment),
            Field("amount", String(refund.amountCents)),
            Field("metadata[task_id]", refund.task),
            Field("metadata[tenant_id]", refund.tenant.rawValue),
        ]
        return StripeCall(path: "/v1/refunds", fields: fields, key: key, mode: refund.mode)
    }

    static func refunds(of refund: TaskRefund) -> StripeCall {
        let fields = [Field("payment_intent", refund.payment), Field("limit", "100")]
        return StripeCall(path: "/v1/refunds", fields: fields, key: nil, mode: refund.mode)
    }

    static func session(_ id: String, _ mode: KeyMode) -> StripeCall {
        StripeCall(path: "/v1/checkout/sessions/\(id.percentEncoded())", fields: [], key: nil, mode: mode)
    }

    static func subscriptions(after last: String?, _ mode: KeyMode) -> StripeCall {
        let fields = [Field("status", "all"), Field("limit", "100")]
        let rest = last.map { [Field("starting_after", $0)] } ?? []
        return StripeCall(path: "/v1/subscriptions", fields: fields + rest, key: nil, mode: mode)
    }

    static func transfers(for submission: String, _ mode: KeyMode) -> StripeCall {
        let fields = [Field("transfer_group", submission), Field("limit", "1")]
        return StripeCall(path: "/v1/transfers", fields: fields, key: nil, mode: mode)
    }
}
