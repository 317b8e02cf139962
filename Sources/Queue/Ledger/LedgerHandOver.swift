package import PostgresClient

/// A follow-up job born claimed: the transaction that ends a job inserts its successor as already running under the same
/// session, so that a chain of steps pays neither for Redis nor for a claim of its own.
///
/// The worker offers this only while it has free slots and knows of no waiting work in the queue, so nobody is overtaken.
extension Ledger {
    /// Columns `state, attempt, session, claimed_at` of a row being inserted.
    ///
    /// - Parameter number: an expression that is 1 for the row to be handed over.
    /// - Precondition: the statement joins ``offer(to:in:)``.
    package static func bornClaimed(_ number: SQL) -> SQL {
        """
        CASE WHEN offer.id IS NOT NULL AND \(clause: number) = 1 THEN 'running' ELSE 'queued' END,
        CASE WHEN offer.id IS NOT NULL AND \(clause: number) = 1 THEN 1 ELSE 0 END,
        CASE WHEN \(clause: number) = 1 THEN offer.id END,
        CASE WHEN offer.id IS NOT NULL AND \(clause: number) = 1 THEN clock_timestamp() END
        """
    }

    /// The session that takes the job at once; no row joins when there is none, when it may not claim any more, or when the
    /// queue is paused.
    package static func offer(to session: Int?, in queue: String) -> SQL {
        """
        LEFT JOIN worker_sessions offer ON offer.id = \(session)::bigint AND offer.state = 'live'
          AND NOT EXISTS (SELECT 1 FROM queue_settings WHERE mode = 'paused' AND queue = \(queue))
        """
    }

    /// How a statement that may hand over must end, so that ``followUps(_:)`` can read it.
    package static let returningFollowUps: SQL =
        "\(clause: returning), state = 'running' AS handed_over, attempt, kind, payload, failures, max_attempts, losses"

    /// Follow-up jobs: those that Redis is to be told of, and those that are already ours.
    package static func followUps(
        _ result: PostgresResult
    ) throws(PostgresError) -> (waiting: [JobHint], claimed: [ClaimedJob]) {
        var waiting: [JobHint] = []
        var claimed: [ClaimedJob] = []
        for row in result {
            guard result.columnCount > 6, try row.get("handed_over", as: Bool.self) else {
                waiting.append(try hint(row))
                continue
            }
            claimed.append(
                ClaimedJob(
                    id: try row.get("id"),
                    attempt: try row.get("attempt"),
                    kind: try row.get("kind"),
                    payload: try row.get("payload"),
                    queue: try row.get("queue"),
                    tenant: try row.get("tenant"),
                    failures: try row.get("failures"),
                    maxAttempts: try row.get("max_attempts"),
                    losses: try row.get("losses")
                )
            )
        }
        return (waiting, claimed)
    }
}
