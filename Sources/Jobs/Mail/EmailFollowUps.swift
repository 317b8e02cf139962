import PostgresClient
package import Queue
import Stores

/// The jobs of pending mails, inserted by the statement that sees them. Their unique key names the mail.
enum EmailFollowUps {
    /// - Parameter condition: which mails, as a condition over `m`.
    static func mails(where condition: SQL) -> SQL {
        """
        INSERT INTO jobs (kind, queue, tenant, priority, max_attempts, payload, unique_key)
        SELECT \(JobKind.sendEmail.rawValue), \(SendEmail.policy.queue.rawValue), m.tenant_id,
               \(SendEmail.policy.priority)::smallint, \(SendEmail.policy.retry.attempts),
               jsonb_build_object('email', m.id), 'email:' || m.id
        FROM emails m WHERE m.status = 'pending' AND (\(clause: condition))
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
        \(clause: Ledger.returning)
        """
    }
}

/// What becomes of mails whose job is gone.
package enum EnqueueMails {
    /// Those whose job died have failed; those that have none get one. It should find neither.
    package static func recover(_ queue: JobQueue) async throws {
        _ = try await queue.transaction { transaction in
            try await transaction.finish(
                [EmailStore.failLost],
                enqueuing: [
                    EmailFollowUps.mails(
                        where: """
                            m.created_at < clock_timestamp() - interval '10 seconds' AND NOT EXISTS (
                              SELECT 1 FROM jobs j WHERE j.state IN ('queued','running')
                                AND j.unique_key = 'email:' || m.id)
                            """
                    )
                ]
            )
        }
    }
}
