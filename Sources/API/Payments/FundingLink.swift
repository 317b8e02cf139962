import Domain
import FoundationEssentials
import Jobs
import Queue
import Stores

/// The page on which a new task's buyer pays, for the answer that tells of the task (contract T-13).
struct FundingLink: Sendable {
    let payments: PaymentStore
    let settings: PaymentSettings
    let answer: AwaitedAnswer

    init(stores: Stores, queue: JobQueue, settings: PaymentSettings) {
        payments = stores.payments
        self.settings = settings
        answer = AwaitedAnswer(queue: queue, patience: settings.pagePatience)
    }

    /// Waits ``PaymentSettings/pagePatience`` at most for the task's page, and writes it down with the task. To be called after the task and
    /// its own ``CreateCheckout`` were written, within the same enclosing transaction or after their commit.
    ///
    /// - Returns: nil where Stripe is not set up for the task's mode, or has not answered: then the task's own job gets
    ///   it.
    func await(_ task: TaskCheckout) async throws -> String? {
        guard settings.isConfigured(task.mode) else { return nil }
        let end = try await answer.end(of: CreateCheckout(asked: task), tenant: task.tenant)
        guard case .done(let result?) = end, let page = try Self.page(result) else { return nil }
        try await payments.keep(page, for: task)
        return page.url
    }

    private static func page(_ result: String) throws -> CheckoutPage? {
        let json = try JSON(parsing: Data(result.utf8))
        guard let id = json["id"]?.stringValue, let url = json["url"]?.stringValue else { return nil }
        return CheckoutPage(id: id, url: url, isLive: json["livemode"]?.boolValue)
    }
}
