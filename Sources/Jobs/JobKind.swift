/// The roll call of jobs. The raw values are stored in Postgres: rename a case freely, never its string.
package enum JobKind: String, CaseIterable, Sendable {
    case startCrew = "crew.start"
    case crewStep = "crew.step"
    case observeTask = "crew.observe"
    case reviseTask = "crew.revise"
    case finishCrew = "crew.finish"
    case tryLogo = "brand.try"
    case deliverWebhook = "webhook.deliver"
    case exportPDF = "pdf.export"
    case processStripeEvent = "stripe.event"
    case createCheckout = "stripe.checkout"
    case expireCheckout = "stripe.expire"
    case openBillingPage = "stripe.billing"
    case openOnboarding = "stripe.onboarding"
    case transferPayout = "payout.transfer"
    case refundTask = "stripe.refund"
    case compareSubscriptions = "stripe.compare"
    case deleteBlob = "blob.delete"
    case fetchURL = "url.fetch"
    case sendEmail = "email.send"
    case rebuildContext = "context.rebuild"
    case canary = "maint.canary"
    case probe = "test.probe"

    package var job: any Job.Type {
        switch self {
        case .startCrew: StartCrew.self
        case .crewStep: CrewStep.self
        case .observeTask: ObserveTask.self
        case .reviseTask: ReviseTask.self
        case .finishCrew: FinishCrew.self
        case .tryLogo: TryLogo.self
        case .deliverWebhook: DeliverWebhook.self
        case .exportPDF: ExportPDF.self
        case .processStripeEvent: ProcessStripeEvent.self
        case .createCheckout: CreateCheckout.self
        case .expireCheckout: ExpireCheckout.self
        case .openBillingPage: OpenBillingPage.self
        case .openOnboarding: OpenOnboarding.self
        case .transferPayout: TransferPayout.self
        case .refundTask: RefundTask.self
        case .compareSubscriptions: CompareSubscriptions.self
        case .deleteBlob: DeleteBlob.self
        case .fetchURL: FetchURL.self
        case .sendEmail: SendEmail.self
        case .rebuildContext: RebuildContext.self
        case .canary: Canary.self
        case .probe: Probe.self
        }
    }
}
