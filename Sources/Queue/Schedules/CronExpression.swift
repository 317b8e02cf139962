/// When a schedule ticks: minute, hour, day of month, month, day of week, with an optional second in front (crontab(5)).
///
/// Lists, ranges, steps and English names are read, and `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`
/// and `@annually`. Where both days are restricted a day that fits either is meant, as in cron(8).
package struct CronExpression: Sendable, Equatable, CustomStringConvertible {
    /// As it was written.
    package let description: String
    let second: CronField
    let minute: CronField
    let hour: CronField
    let dayOfMonth: CronField
    let month: CronField
    let dayOfWeek: CronField

    private static let nicknames = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    /// - Throws: ``CronError``, which says which field is wrong and what it should be.
    package init(_ text: String) throws(CronError) {
        description = text
        var fields = text.split(whereSeparator: \.isWhitespace)
        if let word = fields.first, word.hasPrefix("@") {
            guard fields.count == 1, let meaning = Self.nicknames[word.lowercased()] else {
                let known = Self.nicknames.keys.sorted().joined(separator: ", ")
                throw CronError("\"\(text)\" is no nickname of a schedule. There are \(known)")
            }
            fields = meaning.split(separator: " ")
        }
        guard fields.count == 5 || fields.count == 6 else {
            throw CronError(
                "\"\(text)\" has \(fields.count) fields. Five are needed: minute, hour, day of month, month, day of "
                    + "week; a sixth one in front is the second"
            )
        }
        second = fields.count == 6 ? try CronField(fields.removeFirst(), .second) : .zero
        minute = try CronField(fields[0], .minute)
        hour = try CronField(fields[1], .hour)
        dayOfMonth = try CronField(fields[2], .dayOfMonth)
        month = try CronField(fields[3], .month)
        dayOfWeek = try CronField(fields[4], .dayOfWeek)
    }

    /// The first tick after `instant`, both in whole seconds since 1970-01-01T00:00:00Z.
    ///
    /// Where clocks go forward, a fixed hour that does not exist ticks once, at the first moment after the gap. Where they go
    /// back, a fixed hour ticks the first time only. With a wildcard hour (`*`, `*/2`) each real hour counts.
    ///
    /// - Returns: nil where there is none within nine years (`0 0 30 2 *`).
    package func next(after instant: Int, in zone: ZoneRules) -> Int? {
        hour.isWildcard ? nextReal(after: instant, zone) : nextFixed(after: instant, zone)
    }

    private func nextFixed(after instant: Int, _ zone: ZoneRules) -> Int? {
        var wall = instant + zone.offset(at: instant)
        while let candidate = nextWall(after: wall) {
            let moment = zone.instant(ofWall: candidate)
            if moment > instant { return moment }
            wall = candidate
        }
        return nil
    }

    private func nextReal(after instant: Int, _ zone: ZoneRules) -> Int? {
        var from = instant
        var offset = zone.offset(at: instant)
        var wall = instant + offset
        while let candidate = nextWall(after: wall) {
            let moment = candidate - offset
            if zone.offset(at: moment) == offset { return moment }
            // The clocks are changed before that: look again from the change on.
            from = zone.change(from: offset, after: from, upTo: moment)
            offset = zone.offset(at: from)
            wall = from + offset - 1
        }
        return nil
    }

    /// The next time that fits, on the wall.
    func nextWall(after wall: Int) -> Int? {
        let start = CivilTime(seconds: wall + 1)
        var days = CivilTime.days(year: start.year, month: start.month, day: start.day)
        var second = start.secondOfDay
        let last = days + 9 * 366
        while days <= last {
            let date = CivilTime.date(fromDay: days)
            guard month.contains(date.month) else {
                days = CivilTime.days(year: date.year, month: date.month, day: 1) + 31
                let next = CivilTime.date(fromDay: days)
                days = CivilTime.days(year: next.year, month: next.month, day: 1)
                second = 0
                continue
            }
            if fits(day: date.day, weekday: CivilTime.weekday(ofDay: days)), let time = nextTime(from: second) {
                return days * 86_400 + time
            }
            days += 1
            second = 0
        }
        return nil
    }

    private func fits(day: Int, weekday: Int) -> Bool {
        let byMonth = dayOfMonth.contains(day)
        let byWeek = dayOfWeek.contains(weekday)
        return dayOfMonth.isWildcard || dayOfWeek.isWildcard ? byMonth && byWeek : byMonth || byWeek
    }

    /// The first fitting second of the day that is at least `start`.
    private func nextTime(from start: Int) -> Int? {
        var (h, m, s) = (start / 3600, start / 60 % 60, start % 60)
        while let fittingHour = hour.next(from: h) {
            if fittingHour > h { (m, s) = (0, 0) }
            while let fittingMinute = minute.next(from: m) {
                if fittingMinute > m { s = 0 }
                if let fittingSecond = second.next(from: s) {
                    return fittingHour * 3600 + fittingMinute * 60 + fittingSecond
                }
                (m, s) = (fittingMinute + 1, 0)
            }
            (h, m, s) = (fittingHour + 1, 0, 0)
        }
        return nil
    }
}
