private import Domain
private import PostgresClient
package import Queue
package import Stores

/// An attachment and all that follows from it, for uploads and for pages that were fetched.
package enum AddAttachment {
    /// Inserts the attachment, marks the index, writes event, deliveries and jobs, and ends the transaction. Where it is
    /// refused nothing is written, and the transaction goes on.
    ///
    /// - Throws: as ``AttachmentStore/insert(_:in:)``.
    package static func finish(
        _ transaction: QueueTransaction,
        _ new: NewAttachment,
        _ attachments: AttachmentStore
    ) async throws -> AttachmentStore.Insertion {
        let outcome = try await attachments.insert(new, in: transaction.sql)
        guard case .inserted(let attachment) = outcome else { return outcome }
        try await IndexRequest.mark(new.engagement, new.tenant, in: transaction)
        let event = WebhookLedger.uploadKey(attachment.id)
        try await transaction.finish(
            [WebhookLedger.announce(upload: attachment.id)],
            enqueuing: [
                WebhookFollowUps.deliveries(where: "d.event_id = (SELECT id FROM events WHERE dedupe_key = \(event))")
            ]
        )
        return outcome
    }
}
