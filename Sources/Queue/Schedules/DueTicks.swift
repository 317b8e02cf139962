/// Which ticks of a schedule are fired at a moment, and which one is waited for next. Pure: the deed is the store's.
struct DueTicks: Sendable, Equatable {
    /// Seconds since 1970, ascending.
    let fire: [Int]
    let next: Int?

    /// A tick is missed when it could not be fired within this time: longer than a standby needs to take over.
    static let tolerance = 10

    /// - Parameters:
    ///   - first: the tick that was waited for.
    ///   - now: seconds since 1970, by the clock of Postgres.
    init(from first: Int, now: Int, cron: CronExpression, zone: ZoneRules, missed: MissedTicks, limit: Int) {
        let most = missed == .all ? limit : missed == .latest ? 1 : Self.tolerance + 1
        var due = Self.newest(most, from: first, now: now, cron, zone)
        if missed == .skip { due.removeAll { $0 < now - Self.tolerance } }
        fire = due
        next = cron.next(after: max(now, first), in: zone)
    }

    /// The newest `count` ticks from `first` to `now`. After a long absence it does not walk through all of them: it begins
    /// near the end and goes further back only while it has found too few.
    private static func newest(
        _ count: Int,
        from first: Int,
        now: Int,
        _ cron: CronExpression,
        _ zone: ZoneRules
    ) -> [Int] {
        for back in [60, 3600, 86_400, 31 * 86_400] where now - back > first {
            let found = ticks(from: now - back, now: now, cron, zone)
            if found.count >= count { return found.suffix(count) }
        }
        return ticks(from: first, now: now, cron, zone).suffix(count)
    }

    private static func ticks(from first: Int, now: Int, _ cron: CronExpression, _ zone: ZoneRules) -> [Int] {
        var ticks: [Int] = []
        var last = first - 1
        while let tick = cron.next(after: last, in: zone), tick <= now {
            ticks.append(tick)
            last = tick
        }
        return ticks
    }
}
