import ArgumentParser
import Domain
import Queue

struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Jobs that are enqueued at certain times.",
        subcommands: [
            ListSchedules.self, AddSchedule.self, RemoveSchedule.self, EnableSchedule.self, DisableSchedule.self,
            ScheduleTicks.self,
        ],
        defaultSubcommand: ListSchedules.self
    )
}

struct ListSchedules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "All schedules, their next tick and their last one, in UTC."
    )

    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let schedules = try await ScheduleStore(fleet.postgres).list()
            guard !view.json else { return JSON.array(schedules.map(\.json)).text }
            guard !schedules.isEmpty else {
                return "There are no schedules. `groundcrew schedules add --help` adds one."
            }
            let rows = schedules.map { schedule in
                [
                    schedule.name, schedule.isEnabled ? schedule.nextTick ?? "never" : "disabled",
                    schedule.lastTick ?? "-", "\(schedule.ticks)", schedule.missed, schedule.kind,
                    "\(schedule.cron)  \(schedule.timezone)",
                ]
            }
            return Terminal.table(["NAME", "NEXT", "LAST", "TICKS", "MISSED", "KIND", "WHEN"], rows, right: [3])
        }
    }
}

struct ScheduleTicks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticks",
        abstract: "The last ticks of a schedule, newest first, and what became of their jobs."
    )

    @Argument(help: "The schedule's name.") var name: String
    @Option(help: "At most so many, up to 1000.") var limit = 20
    @OptionGroup var view: ViewOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000.") }
    }

    func run() async throws {
        try await view.show { fleet in
            let store = ScheduleStore(fleet.postgres)
            let ticks = try await store.ticks(of: name, limit: limit)
            if ticks.isEmpty, try await !store.list().contains(where: { $0.name == name }) {
                throw ValidationError("There is no schedule \"\(name)\". `groundcrew schedules` lists them.")
            }
            guard !view.json else { return JSON.array(ticks.map(\.json)).text }
            let rows = ticks.map { [$0.tick, $0.firedAt, "\($0.job)", $0.state ?? "pruned"] }
            return Terminal.table(["TICK", "FIRED", "JOB", "STATE"], rows, right: [2])
        }
    }
}

extension ScheduleView {
    var json: JSON {
        [
            "name": .string(name), "kind": .string(kind), "cron": .string(cron), "timezone": .string(timezone),
            "missed": .string(missed), "enabled": .bool(isEnabled), "next_tick": nextTick.map(JSON.string) ?? .null,
            "last_tick": lastTick.map(JSON.string) ?? .null, "ticks": .integer(ticks),
        ]
    }
}

extension TickView {
    var json: JSON {
        [
            "tick": .string(tick), "fired_at": .string(firedAt), "job": .integer(job),
            "state": state.map(JSON.string) ?? .null,
        ]
    }
}
