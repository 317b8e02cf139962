package import Domain

/// A registered endpoint as its owner sees it, without its secret.
package struct WebhookEndpoint: Sendable {
    package typealias ID = Domain.ID<WebhookEndpoint>

    package let id: ID
    package let url: String
    package let enabled: Bool
    package let events: [String]
    package let createdAt: Timestamp
    /// Since when every attempt has failed; nil where the last one did not.
    package let failingSince: Timestamp?
}

/// One event on its way to one endpoint.
package struct WebhookDelivery: Sendable {
    package typealias ID = Domain.ID<WebhookDelivery>

    package let id: ID
    package let event: String
    package let type: String
    package let status: String
    package let attempts: Int
    package let lastStatus: Int?
    package let nextAttemptAt: Timestamp?
    package let deliveredAt: Timestamp?
    package let createdAt: Timestamp
}
