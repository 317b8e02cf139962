package import Domain
private import PostgresClient
package import Queue
private import Stores

/// Removes the bytes of an object that nothing speaks of any more (J-16): of a deleted attachment, or of an upload that broke.
package struct DeleteBlob: Job {
    package static let kind = JobKind.deleteBlob
    package static let policy = JobPolicy(
        queue: .maint,
        priority: 9,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 20, base: .seconds(10), ceiling: .seconds(6 * 3600))
    )

    let key: String

    package init(key: String) {
        self.key = key
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard try await context.services.stores.blobCatalogue.isCondemned(key) else {
            return .cancel("its bytes are gone already, or in use")
        }
        try await context.services.blobs.remove(key)
        try await context.settle(writing: [BlobCatalogue.forget(key)])
        return .settled
    }

    /// Ends a transaction that condemned objects of a tenant: their jobs and COMMIT in one round trip.
    package static func finish(_ transaction: QueueTransaction, of tenant: Tenant.ID) async throws {
        try await transaction.finish([], enqueuing: [jobs(where: "b.tenant_id = \(tenant)")])
    }

    /// Condemns what crashes have left, and enqueues the removal of everything that is condemned and has no job (C-9).
    package static func sweep(_ queue: JobQueue) async throws {
        try await queue.transaction { transaction in
            _ = try await transaction.finish([BlobCatalogue.sweep], enqueuing: [jobs(where: "true")])
        }
    }

    /// - Parameter condition: which objects, over `b`. Their unique key is their name: none gets two jobs.
    private static func jobs(where condition: SQL) -> SQL {
        """
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key)
        SELECT \(kind.rawValue), \(policy.queue.rawValue), b.tenant_id, \(policy.priority)::smallint,
               \(policy.retry.attempts), jsonb_build_object('key', b.storage_key), 'blobdel:' || b.storage_key
        FROM blobs b WHERE b.state = 'deleting' AND (\(clause: condition))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returning)
        """
    }
}
