package import Domain
package import Queue
private import Stores

/// Closes the page on which a buyer could still pay for a task that no longer waits for that money: it was cancelled, or
/// the operator booked the money. What is paid all the same for a cancelled task comes back by
/// ``RefundTask``.
package struct ExpireCheckout: Job {
    package static let kind = JobKind.expireCheckout
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 2,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 10, base: .seconds(2), ceiling: .seconds(600))
    )

    let task: String

    package init(task: String) {
        self.task = task
    }

    /// Adds the job to the transaction after which the task waits for no money.
    ///
    /// - Parameter task: its id.
    package static func enqueue(_ task: String, tenant: Tenant.ID, in transaction: QueueTransaction) async throws {
        try await transaction.enqueue(
            ExpireCheckout(task: task),
            tenant: tenant.rawValue,
            uniqueKey: "expire:\(task)"
        )
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let page = try await LeftoverPage.find(task, in: context.queue.postgres) else {
            return .cancel("no page of the task is open that nobody is to pay on")
        }
        let mode = page.checkout.mode
        guard let client = context.services.payments.client(for: mode) else { return PaymentServices.noKey(mode) }
        guard page.isLive ?? client.isLive(mode) == client.isLive(mode) else {
            return .cancel("the page belongs to a key of the other mode: it ends by itself within a day")
        }
        do {
            let session = try await Self.session(of: page, client)
            try await client.closeCheckout(session, mode, key: "expire:\(session)")
        } catch {
            return try error.outcome()
        }
        return .done
    }

    /// A page whose answer nobody heard is there all the same. The same key gives its id; where there was none, it makes one,
    /// which is closed at once.
    private static func session(
        of page: LeftoverPage,
        _ client: any Payments
    ) async throws(PaymentFault) -> String {
        if let session = page.session { return session }
        return try await client.openCheckout(page.checkout, key: CreateCheckout.key(page.checkout)).id
    }
}
