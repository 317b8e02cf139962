package import Domain
import PostgresClient
package import Queue
private import Stores

/// Opens the page on which a task's buyer pays its budget, and writes it down with the task (contract J-10).
///
/// Two kinds of it exist per task. The task's own is enqueued in its transaction, waits ten seconds, and lasts until
/// the page is there. The asked one carries the task along, answers who awaits it, and is given up at once when Stripe
/// is away. Both use the same key at Stripe, so they open one page.
package struct CreateCheckout: Job {
    package static let kind = JobKind.createCheckout
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 2,
        timeout: .seconds(20),
        retry: RetryPolicy(attempts: 10, base: .seconds(2), ceiling: .seconds(600))
    )

    let task: String
    /// Set where somebody awaits the answer. The task's row may not be committed by then, so what it says is here.
    var asked: TaskCheckout?

    package init(task: String) {
        self.task = task
    }

    package init(asked: TaskCheckout) {
        task = asked.task
        self.asked = asked
    }

    /// Adds the task's own job to the transaction that makes the task.
    ///
    /// - Parameter task: its id.
    package static func enqueue(_ task: String, tenant: Tenant.ID, in transaction: QueueTransaction) async throws {
        try await transaction.enqueue(
            CreateCheckout(task: task),
            tenant: tenant.rawValue,
            delay: .seconds(10),
            uniqueKey: key(task)
        )
    }

    /// The unique key.
    static func key(_ task: String) -> String { "checkout:\(task)" }

    /// Stripe's Idempotency-Key: another one after each page that has expired.
    static func key(_ checkout: TaskCheckout) -> String {
        key(checkout.task) + (checkout.page.map { ":\($0)" } ?? "")
    }

    /// Of rows `id, tenant_id`.
    static func jobs(_ tasks: PostgresResult) throws -> [NewJob] {
        try tasks.map { row in
            let (task, tenant) = try row.decode(String.self, String.self)
            return try NewJob(CreateCheckout(task: task), tenant: tenant, uniqueKey: key(task))
        }
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        if let asked { return await answer(asked, context) }
        guard let checkout = try await context.services.stores.payments.unfunded(task) else {
            return .cancel("the task has its page, or waits for no money")
        }
        guard let client = context.services.payments.client(for: checkout.mode) else {
            return PaymentServices.noKey(checkout.mode)
        }
        let page: CheckoutPage
        do {
            page = try await client.openCheckout(checkout, key: Self.key(checkout))
        } catch {
            return try error.outcome()
        }
        try await context.settle(writing: [PaymentStore.keep(page, for: checkout)])
        return .settled
    }

    private func answer(_ checkout: TaskCheckout, _ context: JobContext) async -> Outcome {
        guard let client = context.services.payments.client(for: checkout.mode) else {
            return .cancel("no Stripe key for \(checkout.mode.rawValue) mode")
        }
        do {
            let page = try await client.openCheckout(checkout, key: Self.key(checkout))
            let isLive = page.isLive.map(JSON.bool) ?? .null
            return .answer(["id": .string(page.id), "url": .string(page.url), "livemode": isLive])
        } catch {
            return .cancel("the task's own job goes on: \(error)")
        }
    }
}
