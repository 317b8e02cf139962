import ArgumentParser
import Domain
import Queue

struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "How much work each queue has."
    )

    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let seen = try await Inspector(fleet.queue).fleetWithRedis()
            let queues = seen.queues.sorted { $0.key < $1.key }
            guard !view.json else {
                return JSON.object([
                    "workers": .integer(seen.workers), "queues": .object(seen.queues.mapValues(\.json)),
                ]).text
            }
            let rows = queues.map { name, depth in
                [
                    name, depth.mode.rawValue, "\(depth.ready)", "\(depth.delayed)", "\(depth.running)",
                    "\(depth.dead)",
                    depth.oldestReady.map(Terminal.seconds) ?? "-", depth.inRedis.map { "\($0)" } ?? "away",
                ]
            }
            let header = ["QUEUE", "MODE", "READY", "DELAYED", "RUNNING", "DEAD", "OLDEST", "IN REDIS"]
            return Terminal.table(header, rows, right: [2, 3, 4, 5, 6, 7]) + "\n\n\(seen.workers) workers"
        }
    }
}

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "jobs", abstract: "List jobs, newest first.")

    @Option(help: "Only this queue.") var queue: String?
    @Option(help: "Only this state: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).") var state: String?
    @Option(help: "Only this kind.") var kind: String?
    @Option(help: "Only this tenant.") var tenant: String?
    @Option(help: "At most so many, up to 10000.") var limit = 50
    @OptionGroup var view: ViewOptions

    func validate() throws {
        if let state, JobState(rawValue: state) == nil { throw ValidationError("There is no state \"\(state)\".") }
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000.") }
    }

    func run() async throws {
        let filter = Inspector.Filter(queue: queue, state: state, kind: kind, tenant: tenant, limit: limit)
        try await view.show { fleet in
            let jobs = try await Inspector(fleet.queue).jobs(filter)
            guard !view.json else { return JSON.array(jobs.map(\.json)).text }
            let rows = jobs.map { job in
                [
                    "\(job.id)", job.kind, job.state, "\(job.attempt)",
                    job.tenant.isEmpty ? "-" : String(job.tenant.prefix(10)),
                    String(job.createdAt.dropFirst(11).prefix(8)), job.error ?? "",
                ]
            }
            return Terminal.table(
                ["ID", "KIND", "STATE", "ATTEMPT", "TENANT", "CREATED", "ERROR"],
                rows,
                right: [0, 3]
            )
        }
    }
}

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "job", abstract: "Everything about one job.")

    @Argument(help: "The job's id.") var id: Int
    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let inspector = Inspector(fleet.queue)
            guard let job = try await inspector.job(id) else {
                throw CommandEnd.missing(
                    "There is no job \(id): `groundcrew jobs` lists them, and done ones go after a day."
                )
            }
            let waiting = try await inspector.waitingReason(of: job)
            var members = job.json.objectValue ?? [:]
            members["waiting_reason"] = waiting.map { .string($0.reason.rawValue) } ?? .null
            members["waiting"] = waiting.map { .string($0.text) } ?? .null
            guard !view.json else { return JSON.object(members).text }
            return members.filter { $0.value != .null }.sorted { $0.key < $1.key }.map { name, value in
                name.padding(to: 16) + (value.stringValue ?? value.text)
            }.joined(separator: "\n")
        }
    }
}

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "All settings, their meaning and what they are set to. Secrets are not shown."
    )

    @Flag(help: "Print JSON for programs.") var json = false

    func run() {
        let settings = Settings.load()
        guard !json else { return Terminal.say(JSON.array(SettingDescription.all.map { $0.json(settings) }).text) }
        let rows = SettingDescription.all.map { setting in
            let value = settings[setting.name].map { setting.isSecret ? "(set)" : $0 } ?? "-"
            return [setting.name, value, setting.fallback, setting.meaning]
        }
        Terminal.say(Terminal.table(["SETTING", "SET TO", "WITHOUT IT", "MEANING"], rows))
    }
}

extension SettingDescription {
    fileprivate func json(_ settings: Settings) -> JSON {
        let value = settings[name]
        return [
            "setting": .string(name), "meaning": .string(meaning), "without": .string(fallback),
            "is_set": .bool(value != nil), "value": isSecret ? .null : value.map(JSON.string) ?? .null,
        ]
    }
}
