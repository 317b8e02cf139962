package import Domain
package import Queue

/// What follows from data collection where Stripe is connected.
///
/// Without it a task's `funding_url` stays null until the operator funds it (decision D-61), and payouts stay `pending`.
package struct PaymentJobs: Sendable {
    /// Adds the job that makes a new task's Checkout session (contract J-10) to the transaction of the task.
    package let checkout: @Sendable (CollectionTask, QueueTransaction) async throws -> Void
    /// Waits a moment for that session's URL; nil where it takes longer (decision D-62).
    package let fundingURL: @Sendable (CollectionTask) async throws -> String?
    /// Adds the job that pays an approved submission (contract J-11) to the transaction of the approval;
    /// the mode is the task's.
    package let transfer: @Sendable (Submission, KeyMode, QueueTransaction) async throws -> Void

    /// Adds the job that pays back what a cancelled task has not spent to the transaction of its cancellation.
    package let refund: @Sendable (CollectionTask, QueueTransaction) async throws -> Void

    /// Adds the job that closes the page of a task that was cancelled before it was paid to the same transaction.
    package let closePage: @Sendable (CollectionTask, QueueTransaction) async throws -> Void

    package init(
        checkout: @escaping @Sendable (CollectionTask, QueueTransaction) async throws -> Void,
        fundingURL: @escaping @Sendable (CollectionTask) async throws -> String?,
        transfer: @escaping @Sendable (Submission, KeyMode, QueueTransaction) async throws -> Void,
        refund: @escaping @Sendable (CollectionTask, QueueTransaction) async throws -> Void = { _, _ in },
        closePage: @escaping @Sendable (CollectionTask, QueueTransaction) async throws -> Void = { _, _ in }
    ) {
        self.checkout = checkout
        self.fundingURL = fundingURL
        self.transfer = transfer
        self.refund = refund
        self.closePage = closePage
    }
}
