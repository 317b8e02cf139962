package import Domain
import PostgresClient
package import Queue
package import Stores

/// Books money that came another way than through Stripe (decision D-61).
package enum FundByHand {
    /// Opens the task, and has its page at Stripe closed where there is one: nobody is to pay a second time.
    ///
    /// - Parameter amount: US cents; nil is the task's budget.
    /// - Returns: nil where the task is not waiting for money, or `amount` is less than its budget, or there is none.
    package static func run(
        _ task: CollectionTask.ID,
        amount: Int?,
        stores: Stores,
        in queue: JobQueue
    ) async throws -> CollectionTask? {
        try await queue.postgres.enclosing(opening: "SELECT 1") { _ in
            guard let funded = try await stores.collectionDesk.fund(task, amount: amount) else { return nil }
            if try await queue.postgres.query(LeftoverPage.mayExist(for: task.rawValue)).first != nil {
                try await queue.transaction { transaction in
                    try await ExpireCheckout.enqueue(task.rawValue, tenant: funded.tenant, in: transaction)
                }
            }
            return funded
        }
    }
}
