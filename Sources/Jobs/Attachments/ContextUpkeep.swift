private import Domain
private import PostgresClient
package import Queue
private import Stores

/// What the scheduler does for the index (contract C-7).
package enum ContextUpkeep {
    /// Brings back rebuilds that are wanted and have no job: one that failed too often, or was lost with a restored backup.
    package static func recover(_ queue: JobQueue) async throws {
        let rows = try await queue.postgres.query(
            """
            SELECT s.engagement_id, s.tenant_id FROM index_state s
            WHERE s.built < s.wanted AND s.changed_at < now() - interval '30 seconds'
              AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.state IN ('queued','running') AND j.unique_key IS NOT NULL
                              AND j.unique_key = 'reindex:' || s.engagement_id)
            ORDER BY s.changed_at LIMIT 200
            """
        )
        for row in rows {
            let (engagement, tenant) = try row.decode(Engagement.ID.self, String.self)
            do {
                _ = try await queue.add(RebuildContext.again(engagement, tenant: tenant))
            } catch is QueueClosed {
                return
            }
        }
    }

    /// Removes generations that runs held and have let go, and texts that nothing names any more.
    package static func prune(_ queue: JobQueue) async throws {
        for statement in ContextLedger.pruneAll {
            _ = try await queue.postgres.query(statement, timeout: .seconds(60))
        }
    }
}
