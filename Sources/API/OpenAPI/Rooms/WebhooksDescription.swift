import Domain
import Stores

/// Endpoints for webhooks, and what was delivered to them (contract T-19, T-20, S-20 to S-24).
enum WebhooksDescription: RoomDescription {
    static let tag = "Webhooks"

    static let endpoints: [String: Endpoint] = [
        "GET /api/v1/webhook-endpoints": Endpoint(
            "listWebhookEndpoints",
            "Endpoints of the key's mode, newest first",
            .ok(Schema.list(of: .ref("WebhookEndpoint")).asData)
        ),
        "POST /api/v1/webhook-endpoints": Endpoint(
            "createWebhookEndpoint",
            "Register an endpoint; its secret is shown in this answer only",
            .created(Schema.ref("NewWebhookEndpoint").asData),
            body: .object(["url": url], optional: ["events": events]),
            refusals: [409: "An endpoint with this url exists, or webhooks are off."]
        ),
        "PATCH /api/v1/webhook-endpoints/:id": Endpoint(
            "updateWebhookEndpoint",
            "Enable or disable an endpoint, or change its events; enabling sends what was held",
            .ok(Schema.ref("WebhookEndpoint").asData),
            body: .object([:], optional: ["enabled": .flag, "events": events])
        ),
        "DELETE /api/v1/webhook-endpoints/:id": Endpoint(
            "deleteWebhookEndpoint",
            "Delete an endpoint; what was to be delivered to it is not",
            .ok(Schema.object(["id": .text, "deleted": Schema(["const": true])]).asData)
        ),
        "POST /api/v1/webhook-endpoints/:id/rotate-secret": Endpoint(
            "rotateWebhookSecret",
            "A new secret, shown in this answer only; the old one signs along for 24 hours",
            .ok(Schema.ref("NewWebhookEndpoint").asData)
        ),
        "POST /api/v1/webhook-endpoints/:id/test": Endpoint(
            "testWebhookEndpoint",
            "Send `endpoint.test` to this endpoint",
            .ok(Schema.object(["delivery_id": .text, "type": Schema(["const": "endpoint.test"])]).asData)
        ),
        "GET /api/v1/webhook-endpoints/:id/deliveries": Endpoint(
            "listWebhookDeliveries",
            "The newest 100 deliveries",
            .ok(Schema.list(of: .ref("WebhookDelivery")).asData)
        ),
        "POST /api/v1/webhook-deliveries/:id/redeliver": Endpoint(
            "redeliverWebhook",
            "Begin a delivery's schedule anew: same event id, same bytes",
            .ok(Schema.ref("WebhookDelivery").asData)
        ),
    ]

    private static let url = Schema.text(
        to: 2048,
        pattern: "^[Hh][Tt][Tt][Pp][Ss]://",
        example: "https://crew.example.com/hooks"
    ).saying("A public address; port 443 or one above 1023; no credentials, no fragment.")

    private static let events = Schema.list(of: .word(["*"] + WebhookLedger.types.sorted()), from: 1)

    static let schemas: [String: Schema] = [
        "WebhookEndpoint": .object([
            "id": .text, "url": .text, "enabled": .flag, "events": .list(of: .text), "created_at": .moment,
            "failing_since": .moment.orNull.saying("Since when every attempt has failed."),
        ]),
        "NewWebhookEndpoint": .ref("WebhookEndpoint", with: ["signing_secret": .text, "_note": .text]),
        "WebhookDelivery": .object([
            "id": .text, "event_id": .text, "type": .text,
            "status": .word("pending", "delivered", "failed", "cancelled"), "attempts": .count,
            "last_status": .count.orNull, "next_attempt_at": .moment.orNull, "delivered_at": .moment.orNull,
            "created_at": .moment,
        ]),
    ]
}
