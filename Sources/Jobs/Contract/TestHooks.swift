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
    }

    /// Job kinds for tests run only when this is set.
    package let enabled: Bool
    package let mutant: Mutant?

    package init(enabled: Bool = false, mutant: Mutant? = nil) {
        self.enabled = enabled
        self.mutant = enabled ? mutant : nil
    }

    package init(environment: [String: String]) {
        self.init(
            enabled: environment["GC_TEST_HOOKS"] == "1",
            mutant: environment["GC_TEST_MUTANT"].flatMap(Mutant.init(rawValue:))
        )
    }

    package func fence(_ job: ClaimedJob) -> SQL {
        guard mutant == .noFencing else { return Ledger.fence(id: job.id, attempt: job.attempt) }
        return "UPDATE jobs SET state = 'done', finished_at = now(), session = NULL WHERE id = \(job.id) RETURNING id"
    }
}
