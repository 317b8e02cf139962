package import PostgresClient

/// One attempt's end, on its way into the ledger.
package struct SettledJob: Sendable {
    package let id: Int
    package let attempt: Int
    package let settlement: Settlement
    package let hasFollowers: Bool

    package init(id: Int, attempt: Int, settlement: Settlement, hasFollowers: Bool = false) {
        self.id = id
        self.attempt = attempt
        self.settlement = settlement
        self.hasFollowers = hasFollowers
    }
}

/// Settling, fenced: a job that is not running under this very attempt is left as it is.
extension Ledger {
    /// Many finished jobs without effects of their own, in one statement. Returns the ids that counted, each with
    /// the moment at which it is due again, or -1.
    package static func finish(_ jobs: [SettledJob]) -> SQL {
        """
        UPDATE jobs j SET state = 'done', finished_at = clock_timestamp(), session = NULL
        FROM unnest(\(jobs.map(\.id))::bigint[], \(jobs.map(\.attempt))::int[]) AS v(id, attempt)
        WHERE j.id = v.id AND j.attempt = v.attempt AND j.state = 'running'
        \(clause: settled)
        """
    }

    /// When a job that waits again is due, in milliseconds since 1970; -1 where it has ended. One that was asked for once more
    /// while it ran waits again although it is done.
    private static let settled: SQL = """
        RETURNING j.id, CASE
          WHEN j.state = 'queued' THEN (extract(epoch FROM j.run_at) * 1000)::bigint
          WHEN j.again_at IS NOT NULL AND runs_again(j)
            THEN (extract(epoch FROM greatest(j.again_at, clock_timestamp())) * 1000)::bigint
          ELSE -1 END
        """

    /// Attempts that ended in any other way. A job whose cancellation was asked for does not wait again.
    package static func settle(_ jobs: [SettledJob]) -> SQL {
        """
        UPDATE jobs j SET
          state = CASE WHEN v.state = 'queued' AND j.cancel_requested THEN 'cancelled' ELSE v.state END,
          failures = j.failures + v.counted,
          unreadable = CASE WHEN v.unreadable THEN j.unreadable + 1 ELSE 0 END, session = NULL, error = coalesce(v.error, j.error),
          dead_reason = v.reason, result = coalesce(v.result::jsonb, j.result),
          run_at = CASE WHEN v.state = 'queued' THEN clock_timestamp() + v.delay * interval '1 millisecond'
                   ELSE j.run_at END,
          finished_at = CASE WHEN v.state <> 'queued' OR j.cancel_requested THEN clock_timestamp() END
        FROM unnest(\(jobs.map(\.id))::bigint[], \(jobs.map(\.attempt))::int[],
                    \(jobs.map(\.settlement.state))::text[], \(jobs.map { $0.settlement.counted ? 1 : 0 })::int[],
                    \(jobs.map(\.settlement.isUnreadable))::bool[],
                    \(jobs.map(\.settlement.delay.milliseconds))::bigint[],
                    \(NullableArray(jobs.map { $0.settlement.error.map(Self.bounded) }))::text[],
                    \(NullableArray(jobs.map(\.settlement.deadReason)))::text[],
                    \(NullableArray(jobs.map(\.settlement.result)))::text[])
             AS v(id, attempt, state, counted, unreadable, delay, error, reason, result)
        WHERE j.id = v.id AND j.attempt = v.attempt AND j.state = 'running'
        \(clause: settled)
        """
    }

    /// The fence of a job that writes its own effects: first statement of their transaction; zero rows mean it is too late.
    package static func fence(id: Int, attempt: Int) -> SQL {
        """
        UPDATE jobs SET state = 'done', finished_at = clock_timestamp(), session = NULL
        WHERE id = \(id) AND attempt = \(attempt) AND state = 'running' RETURNING id
        """
    }

    /// What an operator is shown; long texts are cut at 2,000 characters and lose NUL, which Postgres refuses.
    static func bounded(_ error: String) -> String {
        String(error.replacing("\0", with: "\u{FFFD}").prefix(2000))
    }
}

extension JobState: PostgresEncodable {}
extension DeadReason: PostgresEncodable {}

extension Settlement {
    var result: String? { if case .finished(let result) = self { result } else { nil } }
    var deadReason: DeadReason? { if case .dead(let reason, _) = self { reason } else { nil } }
}
