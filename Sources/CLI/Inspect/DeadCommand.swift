import ArgumentParser
import Domain
import Queue

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Jobs that will not be tried again, newest first. They are kept for 14 days."
    )

    @Option(help: "Only this queue.") var queue: String?
    @Option(help: "Only this kind.") var kind: String?
    @Option(help: "Only this tenant.") var tenant: String?
    @Option(help: "At most so many, up to 10000.") var limit = 50
    @OptionGroup var view: ViewOptions

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000.") }
    }

    func run() async throws {
        let filter = Inspector.Filter(
            queue: queue,
            state: JobState.dead.rawValue,
            kind: kind,
            tenant: tenant,
            limit: limit
        )
        try await view.show { fleet in
            let jobs = try await Inspector(fleet.queue).jobs(filter)
            guard !view.json else { return JSON.array(jobs.map(\.json)).text }
            guard !jobs.isEmpty else { return "No job is dead." }
            let rows = jobs.map { job in
                [
                    "\(job.id)", job.kind, job.queue, job.tenant.isEmpty ? "-" : job.tenant, job.deadReason ?? "?",
                    String((job.finishedAt ?? job.createdAt).prefix(19)).replacing("T", with: " "), job.error ?? "",
                ]
            }
            let header = ["ID", "KIND", "QUEUE", "TENANT", "REASON", "DIED (UTC)", "ERROR"]
            return Terminal.table(header, rows, right: [0])
                + "\n\n`groundcrew retry` or `groundcrew drop`, by ids or by a filter, ends it for them."
        }
    }
}
