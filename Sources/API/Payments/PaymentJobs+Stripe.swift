import Domain
import Jobs
import Queue
import Stores

extension PaymentJobs {
    /// What Stripe does for data collection, in the modes that have a key.
    init(_ settings: PaymentSettings, stores: Stores, queue: JobQueue) {
        let link = FundingLink(stores: stores, queue: queue, settings: settings)
        self.init(
            checkout: { task, transaction in
                guard settings.isConfigured(task.mode) else { return }
                try await CreateCheckout.enqueue(task.id.rawValue, tenant: task.tenant, in: transaction)
            },
            fundingURL: { task in
                try await link.await(
                    TaskCheckout(
                        task: task.id.rawValue,
                        tenant: task.tenant,
                        isLive: task.mode == .live,
                        title: task.title,
                        amountCents: task.budgetCents
                    )
                )
            },
            transfer: { submission, mode, transaction in
                guard settings.isConfigured(mode) else { return }
                try await TransferPayout.enqueue(
                    submission.id.rawValue,
                    tenant: submission.tenant.rawValue,
                    in: transaction
                )
            },
            refund: { task, transaction in
                guard settings.isConfigured(task.mode) else { return }
                try await RefundTask.enqueue(task.id.rawValue, tenant: task.tenant, in: transaction)
            },
            closePage: { task, transaction in
                guard settings.isConfigured(task.mode) else { return }
                try await ExpireCheckout.enqueue(task.id.rawValue, tenant: task.tenant, in: transaction)
            }
        )
    }
}
