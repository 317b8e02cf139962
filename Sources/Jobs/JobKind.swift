/// The roll call of jobs. The raw values are stored in Postgres: rename a case freely, never its string.
package enum JobKind: String, CaseIterable, Sendable {
    case startCrew = "crew.start"
    case canary = "maint.canary"
    case probe = "test.probe"

    package var job: any Job.Type {
        switch self {
        case .startCrew: StartCrew.self
        case .canary: Canary.self
        case .probe: Probe.self
        }
    }
}
