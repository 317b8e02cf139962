package import Domain
import PostgresClient
package import Queue
package import Stores

/// An event of a run, its deliveries, its mail and their jobs, for the transaction that makes it true.
package enum AnnounceRun {
    static func facts(_ type: WebhookLedger.RunEventType, of run: Run.ID) -> [SQL] {
        [WebhookLedger.announce(type, of: run), EmailLedger.announce(type, of: run)]
    }

    static func jobs(_ type: WebhookLedger.RunEventType, of run: Run.ID) -> [SQL] {
        [
            WebhookFollowUps.deliveries(
                where: "d.event_id = (SELECT id FROM events WHERE dedupe_key = \("\(type.rawValue):\(run)"))"
            ),
            EmailFollowUps.mails(where: "m.dedupe_key = \(EmailLedger.key(type, of: run))"),
        ]
    }

    /// Ends the transaction: event, deliveries, mail, jobs and COMMIT in one round trip.
    package static func finish(
        _ transaction: QueueTransaction,
        _ type: WebhookLedger.RunEventType,
        of run: Run.ID
    ) async throws {
        try await transaction.finish(facts(type, of: run), enqueuing: jobs(type, of: run))
    }
}

/// Jobs for deliveries that callers ask for.
package enum EnqueueDeliveries {
    /// One delivery; ends the transaction.
    package static func finish(_ transaction: QueueTransaction, of delivery: WebhookDelivery.ID) async throws {
        try await transaction.finish([], enqueuing: [WebhookFollowUps.deliveries(where: "d.id = \(delivery)")])
    }

    /// All that a disabled endpoint held; ends the transaction.
    package static func finish(_ transaction: QueueTransaction, heldBy endpoint: WebhookEndpoint.ID) async throws {
        try await transaction.finish(
            [],
            enqueuing: [WebhookFollowUps.deliveries(where: "d.endpoint_id = \(endpoint)")]
        )
    }

    /// Deliveries that wait for a job which does not exist any more. It should find none.
    package static func recover(_ queue: JobQueue) async throws {
        _ = try await queue.transaction { transaction in
            try await transaction.finish(
                [],
                enqueuing: [
                    WebhookFollowUps.deliveries(
                        where: """
                            d.next_attempt_at < clock_timestamp() - interval '5 seconds' AND NOT EXISTS (
                              SELECT 1 FROM jobs j WHERE j.state IN ('queued','running')
                                AND j.unique_key = 'deliver:' || d.id || ':' || d.round || ':' || d.attempts)
                            """
                    )
                ]
            )
        }
    }
}
