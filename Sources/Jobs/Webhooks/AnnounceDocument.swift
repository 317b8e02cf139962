package import Domain
import PostgresClient
package import Queue
import Stores

/// An event of a document, its deliveries and their jobs, for the transaction that makes it true.
package struct AnnounceDocument: Sendable {
    private let event: WebhookLedger.DocumentEvent

    static func ready(_ task: String, of run: Run.ID) -> AnnounceDocument {
        AnnounceDocument(event: .ready(task: task, run: run))
    }

    static func scored(_ task: String, of run: Run.ID) -> AnnounceDocument {
        AnnounceDocument(event: .scored(task: task, run: run))
    }

    /// Somebody has decided on it.
    package static func reviewed(_ document: Deliverable.ID) -> AnnounceDocument {
        AnnounceDocument(event: .reviewed(document))
    }

    var facts: [SQL] { [WebhookLedger.announce(event)] }
    var jobs: [SQL] { [WebhookFollowUps.deliveries(where: WebhookLedger.deliveries(of: event))] }

    /// Ends the transaction: event, deliveries, jobs and COMMIT in one round trip.
    package func finish(_ transaction: QueueTransaction) async throws {
        try await transaction.finish(facts, enqueuing: jobs)
    }
}
