private import Domain
private import PostgresClient
package import Stores

/// Makes one attempt at one delivery, and enqueues the next where it failed.
package struct DeliverWebhook: Job {
    package static let kind = JobKind.deliverWebhook
    package static let policy = JobPolicy(
        queue: .webhook,
        priority: 4,
        timeout: .seconds(28),
        retry: RetryPolicy(attempts: 10, base: .seconds(1), ceiling: .seconds(60)),
        perKey: 2
    )

    let delivery: WebhookDelivery.ID
    let round: Int

    package init(delivery: WebhookDelivery.ID, round: Int) {
        self.delivery = delivery
        self.round = round
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let webhooks = context.services.webhooks else {
            return .refuse("this worker delivers no webhooks")
        }
        switch try await context.services.stores.outbox.claim(delivery, round: round) {
        case .moot: return .cancel("the delivery was made, begun anew or deleted, or its endpoint is disabled")
        case .busy: return .snooze(.milliseconds(Int.random(in: 500...2000)), "the endpoint has two in flight")
        case .contended:
            return .snooze(.milliseconds(Int.random(in: 20...120)), "another delivery of the endpoint is taken")
        case .ready(let outgoing): return try await send(outgoing, webhooks, context)
        }
    }

    private func send(
        _ outgoing: OutgoingWebhook,
        _ webhooks: WebhookServices,
        _ context: JobContext
    ) async throws -> Outcome {
        let owner = outgoing.endpoint.rawValue
        let secrets = try [outgoing.secret, outgoing.oldSecret].compactMap { $0?.bytes }
            .map { try webhooks.sealer.open($0, for: owner) }
        let post = WebhookPost(
            url: outgoing.url,
            secrets: secrets,
            event: outgoing.event,
            type: outgoing.type,
            delivery: delivery.rawValue,
            body: outgoing.body.bytes
        )
        let began = ContinuousClock.now
        let reply = await webhooks.sender.post(post)
        try Task.checkCancellation()
        let took = ContinuousClock.now - began
        let attempt = attempt(reply, outgoing, webhooks.schedule, took)
        try await context.settle(
            writing: WebhookOutbox.book(attempt),
            enqueuing: [
                WebhookFollowUps.deliveries(where: "d.id = \(delivery)"),
                EmailFollowUps.mails(where: EmailLedger.disabled(outgoing.endpoint)),
            ]
        )
        return .settled
    }

    private func attempt(
        _ reply: WebhookReply,
        _ outgoing: OutgoingWebhook,
        _ schedule: [Int],
        _ took: Duration
    ) -> WebhookOutbox.Attempt {
        var status: Int?
        var error: String?
        var excerpt: String?
        switch reply {
        case .answered(let code, let text):
            status = code
            excerpt = text
            error = (200..<300).contains(code) ? nil : "the endpoint answered \(code)"
        case .failed(let why): error = why
        }
        let next = outgoing.tries + 1
        return WebhookOutbox.Attempt(
            delivery: delivery,
            endpoint: outgoing.endpoint,
            status: status,
            error: error,
            excerpt: excerpt,
            milliseconds: Int(took / .milliseconds(1)),
            isDelivered: error == nil,
            nextAfter: error != nil && next < schedule.count ? schedule[next] : nil
        )
    }
}
