import Domain
import Stores

/// Pages at Stripe, and what Stripe tells us (contract T-24, T-25, S-10, S-48).
enum PaymentsDescription: RoomDescription {
    static let tag = "Payments"

    static let endpoints: [String: Endpoint] = [
        "POST /api/billing/checkout": Endpoint(
            "openCheckout",
            "A page at Stripe where the owner buys a plan",
            .ok(page),
            body: .object(["plan": .word(Plan.allCases.map(\.rawValue))]),
            refusals: [403: ownerOnly, 502: engine, 503: noStripe]
        ),
        "POST /api/billing/portal": Endpoint(
            "openPortal",
            "A page at Stripe where the owner changes or ends the plan",
            .ok(page),
            refusals: [403: ownerOnly, 409: "Nothing was bought yet.", 502: engine, 503: noStripe]
        ),
        "POST /api/contributor/payout-account": Endpoint(
            "openPayoutAccount",
            "A page at Stripe where a contributor says where to pay them",
            .ok(.object(["onboarding_url": .text])),
            body: .object(
                [:],
                optional: [
                    "mode": .word(KeyMode.allCases.map(\.rawValue)).saying("Which tasks it is for; `live` without it.")
                ]
            ),
            bodyIsOptional: true,
            refusals: [502: engine, 503: noStripe]
        ),
        "POST /api/webhooks/stripe": Endpoint(
            "receiveStripeEvent",
            "For Stripe: keep an event, once, and work on it later",
            .ok(.object(["received": Schema(["const": true])])),
            parameters: [.header("Stripe-Signature", .text, "`t=` and `v1=`, at most five minutes old.")],
            body: .map(of: .anything).saying("A Stripe event, as it was signed."),
            refusals: [400: "The signature is missing, wrong or too old, or the body is no event.", 503: noStripe]
        ),
    ]

    private static let page = Schema.object(["url": .text])
    private static let ownerOnly = "Only the owner may do this, with a session."
    private static let engine = "The engine takes no work now."
    private static let noStripe = "Stripe is not connected here, or did not answer in time."

    static let schemas: [String: Schema] = [:]
}
