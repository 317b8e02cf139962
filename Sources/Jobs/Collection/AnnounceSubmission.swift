package import Domain
import PostgresClient
package import Queue
package import Stores

/// An event of a submission, its deliveries and their jobs, for the transaction that makes it true.
package enum AnnounceSubmission {
    /// Ends the transaction: event, deliveries, jobs and COMMIT in one round trip.
    package static func finish(
        _ transaction: QueueTransaction,
        _ type: WebhookLedger.SubmissionEventType,
        of submission: Submission.ID
    ) async throws {
        let key = WebhookLedger.key(type, of: submission)
        let deliveries = WebhookFollowUps.deliveries(
            where: "d.event_id = (SELECT id FROM events WHERE dedupe_key = \(key))"
        )
        try await transaction.finish([WebhookLedger.announce(type, of: submission)], enqueuing: [deliveries])
    }
}
