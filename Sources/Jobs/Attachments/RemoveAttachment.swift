package import Domain
private import PostgresClient
package import Queue
package import Stores

/// The removal of an attachment and all that follows from it (contract A-19). There is no event.
package enum RemoveAttachment {
    /// Deletes the attachment, marks the index, enqueues the removal of the bytes, and ends the transaction.
    package static func finish(
        _ transaction: QueueTransaction,
        _ id: Attachment.ID,
        in engagement: Engagement.ID,
        _ tenant: Tenant.ID,
        _ attachments: AttachmentStore
    ) async throws -> AttachmentStore.Deletion {
        let outcome = try await attachments.delete(id, in: engagement, tenant, in: transaction.sql)
        guard case .deleted = outcome else { return outcome }
        try await IndexRequest.mark(engagement, tenant, in: transaction)
        try await DeleteBlob.finish(transaction, of: tenant)
        return outcome
    }
}
