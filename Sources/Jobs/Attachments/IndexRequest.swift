package import Domain
private import PostgresClient
package import Queue
private import Stores

/// Says that the files of an engagement have changed, so that manifest and context index are built anew.
package enum IndexRequest {
    /// Raises the generation that is wanted (U-40) and asks for the rebuild: one statement each, with the change itself.
    ///
    /// - Throws: ``QueueClosed`` where an operator closed the queue `index`.
    package static func mark(
        _ engagement: Engagement.ID,
        _ tenant: Tenant.ID,
        in transaction: QueueTransaction
    ) async throws {
        _ = try await transaction.sql.query(ContextLedger.want(engagement, tenant))
        _ = try await transaction.add([try RebuildContext.again(engagement, tenant: tenant.rawValue)])
    }
}
