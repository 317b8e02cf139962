package import Domain
import PostgresClient
package import Queue
import Stores

/// Gives the buyer of a cancelled task back what no approval has spent, once. Transfers to contributors stay as they are.
package struct RefundTask: Job {
    package static let kind = JobKind.refundTask
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 4,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 10, base: .seconds(10), ceiling: .seconds(21_600))
    )

    let task: String

    package init(task: String) {
        self.task = task
    }

    /// Adds the job to the transaction that cancels the task.
    ///
    /// - Parameter task: its id.
    package static func enqueue(_ task: String, tenant: Tenant.ID, in transaction: QueueTransaction) async throws {
        try await transaction.enqueue([job(task, tenant: tenant.rawValue)])
    }

    /// Of rows `id, tenant_id`.
    static func jobs(_ tasks: PostgresResult) throws -> [NewJob] {
        try tasks.map { row in
            let (task, tenant) = try row.decode(String.self, String.self)
            return try job(task, tenant: tenant)
        }
    }

    private static func job(_ task: String, tenant: String) throws -> NewJob {
        try NewJob(RefundTask(task: task), tenant: tenant, uniqueKey: "refund:\(task)")
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        let store = RefundStore(context.queue.postgres)
        guard let due = try await store.due(task) else { return .cancel("the money is back, or nobody asked for it") }
        guard let client = context.services.payments.client(for: due.refund.mode) else {
            return PaymentServices.noKey(due.refund.mode)
        }
        let id: String
        do {
            id = try await Self.pay(due, client)
        } catch {
            return try await failed(error, store)
        }
        let amount = due.refund.amountCents
        try await context.settle(
            writing: [StripeLedger.refunded(task, by: id, amountCents: amount, isLive: nil)]
        )
        return .settled
    }

    private static func pay(_ due: RefundStore.Due, _ client: any Payments) async throws(PaymentFault) -> String {
        var refund = due.refund
        if refund.payment.isEmpty {
            guard let payment = try await client.payment(of: due.session, refund.mode) else {
                throw .refused(
                    "Stripe knows no payment of the Checkout session \(due.session): refund it in the Dashboard"
                )
            }
            refund.payment = payment
        }
        // Stripe forgets keys after a day: from then on a lost answer must be looked for.
        if due.isOld, let made = try await client.findRefund(refund) { return made }
        let again = due.refusals > 0 ? ":\(due.refusals)" : ""
        return try await client.refund(refund, key: "refund:\(refund.task)\(again)")
    }

    private func failed(_ fault: PaymentFault, _ store: RefundStore) async throws -> Outcome {
        switch fault {
        case .later: break
        case .refused(let reason): try await store.refused(task, reason, isFinal: true)
        case .shortOfMoney(let reason): try await store.refused(task, reason, isFinal: false)
        }
        return try fault.outcome()
    }
}
