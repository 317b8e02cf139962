import ArgumentParser
import Queue

extension JobState: ExpressibleByArgument {}
extension DeadReason: ExpressibleByArgument {}

/// Which jobs a command means. What is given must all be true of a job.
struct FilterOptions: ParsableArguments {
    @Argument(help: "Ids of jobs.") var ids: [Int] = []
    @Option(help: "Only this queue.") var queue: String?
    @Option(help: "Only this kind.") var kind: String?
    @Option(help: "Only this tenant.") var tenant: String?
    @Option(help: "Only this state.") var state: JobState?
    @Option(help: "Only jobs whose last error contains this text.") var error: String?
    @Option(help: "Only jobs that died for this reason.") var reason: DeadReason?
    @Option(help: "Only jobs that ended, or else were made, longer ago than this: 90s, 15m, 2h, 14d.")
    var olderThan: Span?
    @Option(help: "Only jobs that ended, or else were made, within this time.") var since: Span?
    @Option(help: "At most so many, lowest ids first.") var limit: Int?
    @Flag(help: "Every job, without any of the above.") var all = false

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit takes 1 or more.") }
        if let queue { try QueueArgument.check(queue) }
    }

    var filter: JobFilter {
        var filter = JobFilter()
        if !ids.isEmpty { filter.ids = ids }
        filter.queue = queue
        filter.kind = kind
        filter.tenant = tenant
        filter.state = state
        filter.errorContains = error
        filter.deadReason = reason
        filter.olderThan = olderThan?.duration
        filter.since = since?.duration
        filter.limit = limit
        return filter
    }

    /// Ids alone: whoever typed them knows what they mean.
    var isExplicit: Bool { !ids.isEmpty }
}
