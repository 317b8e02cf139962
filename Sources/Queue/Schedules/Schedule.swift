import PostgresClient

/// What happens to ticks that nobody fired in time, because no scheduler ran.
package enum MissedTicks: String, Sendable, CaseIterable, PostgresValue {
    /// They are left out.
    case skip
    /// Of all of them, the newest one is fired.
    case latest
    /// The newest ones are fired, up to the schedule's limit.
    case all
}

/// A job that is enqueued at certain times.
package struct Schedule: Sendable {
    package let name: String
    /// What is enqueued at each tick. Its delay, uniqueness and batch are not used.
    package let job: NewJob
    package let cron: CronExpression
    package let zone: ZoneRules
    package let missed: MissedTicks
    /// How many missed ticks ``MissedTicks/all`` fires at most, 1 to 1,000.
    package let missedLimit: Int

    /// - Parameter name: 1 to 100 characters; a schedule of this name is replaced.
    /// - Throws: ``ScheduleError`` where the name or the limit is out of range, or the expression never ticks.
    package init(
        name: String,
        job: NewJob,
        cron: CronExpression,
        zone: ZoneRules,
        missed: MissedTicks = .latest,
        missedLimit: Int = 100
    ) throws(ScheduleError) {
        guard (1...100).contains(name.count), !name.contains("\0") else {
            throw ScheduleError("the schedule's name must have 1 to 100 characters")
        }
        guard (1...1000).contains(missedLimit) else {
            throw ScheduleError("the schedule \"\(name)\" may catch up on 1 to 1000 missed ticks, not \(missedLimit)")
        }
        guard cron.next(after: 0, in: zone) != nil else {
            throw ScheduleError("the schedule \"\(name)\" would never tick: there is no such day as in \"\(cron)\"")
        }
        self.name = name
        self.job = job
        self.cron = cron
        self.zone = zone
        self.missed = missed
        self.missedLimit = missedLimit
    }
}

/// A schedule that cannot be. The text says why and what to do.
package struct ScheduleError: Error, CustomStringConvertible, Equatable {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A schedule as it stands, for people.
package struct ScheduleView: Sendable {
    package let name: String
    package let kind: String
    package let cron: String
    package let timezone: String
    package let missed: String
    package let isEnabled: Bool
    /// ISO 8601, UTC; nil where it never ticks again.
    package let nextTick: String?
    package let lastTick: String?
    /// Fired within the retention of the tick ledger.
    package let ticks: Int
}

/// A tick that was fired.
package struct TickView: Sendable {
    /// ISO 8601, UTC.
    package let tick: String
    package let firedAt: String
    package let job: Int
    /// The job's state; nil where it was pruned.
    package let state: String?
}
