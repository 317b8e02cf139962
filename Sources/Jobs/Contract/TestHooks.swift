package import PostgresClient
package import Queue

/// Seeded bugs, one at a time, that exist so that the chaos test can show that it would catch them.
///
/// Only `GC_TEST_HOOKS=1` together with `GC_TEST_MUTANT=…` turns one on, and the worker says so in its first log line.
package struct TestHooks: Sendable, Equatable {
    package enum Mutant: String, Sendable, CaseIterable {
        /// Results count without the newest attempt.
        case noFencing = "no-fencing"
        /// A job is settled before its effects are committed.
        case ackBeforeCommit = "ack-before-commit"
        /// Nobody looks for what Redis does not know, or for jobs of lost workers.
        case noSweep = "no-sweep"
        /// Effects are committed first, and the fence comes in a transaction of its own.
        case effectBeforeFence = "effect-before-fence"
        /// A claim gives out the attempt number of the last one again.
        case tokenReused = "token-reused"
        /// Losses are forgotten, so that no job is ever poison.
        case poisonUncounted = "poison-uncounted"
        /// What a stopping worker did not finish counts as done.
        case drainDrops = "drain-drops"
    }

    /// Job kinds for tests run only when this is set.
    package let enabled: Bool
    package let mutant: Mutant?

    package init(enabled: Bool = false, mutant: Mutant? = nil) {
        self.enabled = enabled
        self.mutant = enabled ? mutant : nil
    }

    /// A mutant that is misspelt, or named without the hooks: a test that believes in it would prove nothing.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
    }

    /// Reads `GC_TEST_HOOKS` and `GC_TEST_MUTANT`.
    ///
    /// - Throws: ``Refused`` for a mutant that does not exist, or without `GC_TEST_HOOKS=1`.
    package init(environment: [String: String]) throws(Refused) {
        let enabled = environment["GC_TEST_HOOKS"] == "1"
        guard let name = environment["GC_TEST_MUTANT"], !name.isEmpty else {
            self.init(enabled: enabled)
            return
        }
        guard enabled else {
            throw Refused(description: "GC_TEST_MUTANT is set without GC_TEST_HOOKS=1. Remove it, or set both.")
        }
        guard let mutant = Mutant(rawValue: name) else {
            let names = Mutant.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refused(description: "GC_TEST_MUTANT is \"\(name)\", which is no seeded bug. There are: \(names).")
        }
        self.init(enabled: true, mutant: mutant)
    }

    package func fence(_ job: ClaimedJob) -> SQL {
        guard mutant == .noFencing else { return Ledger.fence(id: job.id, attempt: job.attempt) }
        return "UPDATE jobs SET state = 'done', finished_at = now(), session = NULL WHERE id = \(job.id) RETURNING id"
    }

    /// The claim of these ids; see ``Ledger/claim(_:session:)``.
    package func claim(_ ids: [Int], session: Int) -> SQL {
        guard mutant == .tokenReused else { return Ledger.claim(ids, session: session) }
        return """
            UPDATE jobs SET state = 'running', attempt = greatest(attempt, 1), session = \(session),
              claimed_at = clock_timestamp()
            WHERE id = ANY(\(ids)::bigint[]) AND state = 'queued' AND run_at <= clock_timestamp() + interval '1 second'
            \(clause: Ledger.returningClaims)
            """
    }

    /// What a scheduler does wrong before it looks for lost sessions.
    package func forgetLosses(_ queue: JobQueue) async throws {
        guard mutant == .poisonUncounted else { return }
        _ = try await queue.postgres.query("UPDATE jobs SET losses = 0 WHERE losses > 0 AND state <> 'dead'")
    }

    /// What a worker does wrong before it hands back what it did not finish.
    package func dropUnfinished(_ session: Int, _ queue: JobQueue) async {
        guard mutant == .drainDrops else { return }
        _ = try? await queue.postgres.query(
            """
            UPDATE jobs SET state = 'done', finished_at = clock_timestamp(), session = NULL
            WHERE session = \(session) AND state = 'running'
            """
        )
    }
}
