package import Logging
import PostgresClient
private import Synchronization

/// Fires the schedules that are due. Safe to run by any number of processes at once: the rows decide who fires a tick.
package final class ScheduleClock: Sendable {
    private let queue: JobQueue
    private let store: ScheduleStore
    private let logger: Logger
    private let zones = Mutex<[String: ZoneRules]>([:])
    private static let page = 100
    /// A schedule that was added just now is seen after this time at the latest.
    private static let longest = Duration.seconds(1)

    package init(_ queue: JobQueue, logger: Logger) {
        self.queue = queue
        self.store = ScheduleStore(queue.postgres)
        self.logger = logger
    }

    /// Fires what is due.
    ///
    /// - Returns: how long to wait until the next tick; at most a second.
    package func run() async throws -> Duration {
        var due = try await store.due(limit: Self.page)
        while !due.isEmpty {
            // What cannot be read stays due: it must not turn this into a busy loop.
            let plans = due.compactMap(plan)
            if !plans.isEmpty {
                let hints = try Ledger.hints(await queue.postgres.query(ScheduleStore.fire(plans)))
                await queue.dispatch.push(hints)
            }
            guard plans.count == due.count else { return Self.longest }
            guard due.count == Self.page else { break }
            due = try await store.due(limit: Self.page)
        }
        guard let wait = try await store.wait() else { return Self.longest }
        return min(Self.longest, .milliseconds(max(wait, 5)))
    }

    /// A row that this version cannot read is left to one that can, and complained about.
    private func plan(_ schedule: DueSchedule) -> (schedule: DueSchedule, ticks: DueTicks)? {
        do {
            let cron = try CronExpression(schedule.cron)
            let ticks = DueTicks(
                from: schedule.tick,
                now: schedule.now,
                cron: cron,
                zone: try zone(schedule.timezone),
                missed: schedule.missed,
                limit: schedule.missedLimit
            )
            return (schedule, ticks)
        } catch {
            logger.error(
                "a schedule cannot be read and does not tick: mend it with `groundcrew schedules add`, or disable it",
                metadata: ["schedule": "\(schedule.name)", "error": "\(error)"]
            )
            return nil
        }
    }

    private func zone(_ name: String) throws -> ZoneRules {
        if let known = zones.withLock({ $0[name] }) { return known }
        let rules = try ZoneRules(name)
        zones.withLock { $0[name] = rules }
        return rules
    }
}
