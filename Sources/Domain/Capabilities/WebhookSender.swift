/// One attempt to hand an event to an endpoint.
package struct WebhookPost: Sendable {
    package let url: String
    /// The newest first; during a rotation the one before it too.
    package let secrets: [String]
    package let event: String
    package let type: String
    package let delivery: String
    /// Signed and sent as they are.
    package let body: [UInt8]

    package init(url: String, secrets: [String], event: String, type: String, delivery: String, body: [UInt8]) {
        self.url = url
        self.secrets = secrets
        self.event = event
        self.type = type
        self.delivery = delivery
        self.body = body
    }
}

/// What came of it.
package enum WebhookReply: Sendable, Equatable {
    /// - Parameter excerpt: at most 1 KiB of the answer's body.
    case answered(status: Int, excerpt: String)
    /// No answer: refused address, no connection, bad certificate, time over.
    case failed(String)
}

/// Posts events to endpoints. Real in the worker, absent in the API.
package protocol WebhookSender: Sendable {
    /// Signs and posts; comes back after 15 seconds at the latest, plus what the resolver takes.
    func post(_ post: WebhookPost) async -> WebhookReply
}
