import Domain
import PostgresClient
package import Queue
import Stores

/// Pays a contributor for an approved submission, once (contract J-11, decision D-67). Where the contributor cannot be
/// paid yet, the payout is blocked until Stripe says otherwise.
package struct TransferPayout: Job {
    package static let kind = JobKind.transferPayout
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 4,
        timeout: .seconds(45),
        retry: RetryPolicy(attempts: 10, base: .seconds(10), ceiling: .seconds(21_600))
    )

    let submission: String

    package init(submission: String) {
        self.submission = submission
    }

    /// Adds the job to the transaction that approves the submission.
    ///
    /// - Parameter tenant: the buyer's id.
    package static func enqueue(_ submission: String, tenant: String, in transaction: QueueTransaction) async throws {
        try await transaction.enqueue([job(submission, tenant: tenant)])
    }

    /// Of rows `submission_id, tenant_id`.
    static func jobs(_ payouts: PostgresResult) throws -> [NewJob] {
        try payouts.map { row in
            let (submission, tenant) = try row.decode(String.self, String.self)
            return try job(submission, tenant: tenant)
        }
    }

    private static func job(_ submission: String, tenant: String) throws -> NewJob {
        try NewJob(TransferPayout(submission: submission), tenant: tenant, uniqueKey: "payout:\(submission)")
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        let store = context.services.stores.payments
        guard let due = try await store.due(submission) else { return .cancel("the payout is paid, or gone") }
        guard let transfer = due.transfer else {
            try await context.settle(writing: [PaymentStore.block(submission)])
            return .settled
        }
        guard let client = context.services.payments.client(for: due.mode) else {
            return PaymentServices.noKey(due.mode)
        }
        guard due.accountIsLive.map({ $0 == client.isLive(due.mode) }) ?? true else {
            try await context.settle(writing: [PaymentStore.block(submission)])
            return .settled
        }
        let id: String
        do {
            id = try await Self.pay(transfer, due, client)
        } catch {
            return try await failed(error, store)
        }
        let paid = StripeLedger.paid(submission, by: id, amountCents: transfer.amountCents, isLive: nil)
        try await context.settle(writing: [paid])
        return .settled
    }

    private static func pay(
        _ transfer: PayoutTransfer,
        _ due: PaymentStore.Due,
        _ client: any Payments
    ) async throws(PaymentFault) -> String {
        // Stripe forgets keys after a day: from then on a lost answer must be looked for.
        if due.isOld, let made = try await client.findTransfer(for: transfer.submission, due.mode) { return made }
        let again = due.refusals > 0 ? ":\(due.refusals)" : ""
        return try await client.transfer(transfer, key: "payout:\(transfer.submission)\(again)")
    }

    private func failed(_ fault: PaymentFault, _ store: PaymentStore) async throws -> Outcome {
        switch fault {
        case .later: break
        case .refused(let reason): try await store.refused(submission, reason, isFinal: true)
        case .shortOfMoney(let reason): try await store.refused(submission, reason, isFinal: false)
        }
        return try fault.outcome()
    }
}
