import ArgumentParser
import Jobs
import Queue

extension JobKind: ExpressibleByArgument {}
extension MissedTicks: ExpressibleByArgument {}

struct AddSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a schedule, or replace the one of this name."
    )

    @Argument(help: "The schedule's name, 1 to 100 characters.") var name: String
    @Option(
        help:
            "Minute, hour, day of month, month, day of week; a sixth field in front is the second. Or @daily and so on."
    )
    var cron: String
    @Option(help: "IANA time zone that the expression means.") var timezone = "UTC"
    @Option(help: "The kind of job to enqueue.") var kind: JobKind
    @Option(help: "Its payload, as JSON.") var payload = "{}"
    @Option(help: "Whose work it is; the house's own without it.") var tenant = ""
    @Option(help: "0 (urgent) to 9; the kind's own without it.") var priority: Int?
    @Option(help: "What becomes of ticks while no scheduler ran: skip, latest or all.") var missed = MissedTicks.latest
    @Option(help: "How many missed ticks `all` makes up for, 1 to 1000.") var missedLimit = 100

    func validate() throws {
        if let priority, !(0...9).contains(priority) { throw ValidationError("--priority takes 0 to 9.") }
        do {
            _ = try kind.job.decode(payload)
        } catch {
            throw ValidationError("--payload is not one that \(kind.rawValue) can read: \(error)")
        }
        _ = try schedule()
    }

    func run() async throws {
        let schedule = try schedule()
        try await withFleet { fleet in
            let store = ScheduleStore(fleet.postgres)
            try await store.put(schedule)
            let next = try await store.list().first { $0.name == name }?.nextTick
            Terminal.say("\(name) ticks next at \(next ?? "no time") (UTC).")
        }
    }

    private func schedule() throws -> Schedule {
        let policy = kind.job.policy
        do {
            return try Schedule(
                name: name,
                job: NewJob(
                    kind: kind.rawValue,
                    queue: policy.queue.rawValue,
                    tenant: tenant,
                    priority: priority ?? policy.priority,
                    payload: payload,
                    maxAttempts: policy.retry.attempts
                ),
                cron: CronExpression(cron),
                zone: ZoneRules(timezone),
                missed: missed,
                missedLimit: missedLimit
            )
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

struct RemoveSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a schedule and its ticks. Jobs that it has enqueued stay."
    )

    @Argument(help: "The schedule's name.") var name: String

    func run() async throws {
        try await withFleet { fleet in
            guard try await ScheduleStore(fleet.postgres).remove(name) else { throw ValidationError.noSchedule(name) }
            Terminal.say("\(name) is removed.")
        }
    }
}

struct EnableSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Let a schedule tick again, from its next tick on."
    )

    @Argument(help: "The schedule's name.") var name: String

    func run() async throws {
        try await withFleet { fleet in
            guard try await ScheduleStore(fleet.postgres).setEnabled(name, true) else {
                throw ValidationError.noSchedule(name)
            }
            Terminal.say("\(name) is enabled.")
        }
    }
}

struct DisableSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Let a schedule rest. What it would have done meanwhile is not made up for."
    )

    @Argument(help: "The schedule's name.") var name: String

    func run() async throws {
        try await withFleet { fleet in
            guard try await ScheduleStore(fleet.postgres).setEnabled(name, false) else {
                throw ValidationError.noSchedule(name)
            }
            Terminal.say("\(name) is disabled.")
        }
    }
}

extension ValidationError {
    fileprivate static func noSchedule(_ name: String) -> ValidationError {
        ValidationError("There is no schedule \"\(name)\". `groundcrew schedules` lists them.")
    }
}
