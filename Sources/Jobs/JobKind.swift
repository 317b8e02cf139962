/// The roll call of jobs. The raw values are stored in Postgres: rename a case freely, never its string.
package enum JobKind: String, CaseIterable, Sendable {
    case startCrew = "crew.start"
    case crewStep = "crew.step"
    case observeTask = "crew.observe"
    case finishCrew = "crew.finish"
    case deliverWebhook = "webhook.deliver"
    case exportPDF = "pdf.export"
    case canary = "maint.canary"
    case probe = "test.probe"

    package var job: any Job.Type {
        switch self {
        case .startCrew: StartCrew.self
        case .crewStep: CrewStep.self
        case .observeTask: ObserveTask.self
        case .finishCrew: FinishCrew.self
        case .deliverWebhook: DeliverWebhook.self
        case .exportPDF: ExportPDF.self
        case .canary: Canary.self
        case .probe: Probe.self
        }
    }
}
