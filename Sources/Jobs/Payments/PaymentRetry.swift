import PostgresClient
package import Queue
import Stores

/// What an operator tries again: payouts and refunds that failed.
package enum PaymentRetry {
    /// Pays a failed payout again, from now on.
    ///
    /// Locks the payout before its job, as everything does that settles one.
    ///
    /// - Returns: false where it has not failed, or there is none.
    package static func payout(_ submission: String, in queue: JobQueue) async throws -> Bool {
        try await queue.transaction { transaction in
            let reopened = try await transaction.sql.query(PaymentRetries.reopenPayout(submission))
            guard reopened.first != nil else { return false }
            try await transaction.enqueue(TransferPayout.jobs(reopened))
            return true
        }
    }

    /// Gives back what a cancelled task has not spent: for one whose refund failed, or that was cancelled without Stripe.
    ///
    /// - Returns: false where there is nothing to give back through Stripe, it was given back, or is about to be.
    package static func refund(_ task: String, in queue: JobQueue) async throws -> Bool {
        try await queue.transaction { transaction in
            let asked = try await transaction.sql.query(RefundStore.ask(task))
            guard asked.first != nil else { return false }
            try await transaction.enqueue(RefundTask.jobs(asked))
            return true
        }
    }
}
