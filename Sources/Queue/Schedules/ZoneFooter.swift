/// The rule for the time after the last change that a TZif file lists: a POSIX `TZ` string such as
/// `CET-1CEST,M3.5.0,M10.5.0/3` (RFC 8536, 3.3; POSIX.1-2017, 8.3).
struct ZoneFooter: Sendable, Equatable {
    private let standard: Int
    private let summer: Summer?

    private struct Summer: Sendable, Equatable {
        let offset: Int
        let begins: Day
        let ends: Day
    }

    /// A day of the year, and the time of the change on that day's wall clock.
    private struct Day: Sendable, Equatable {
        enum Rule: Sendable, Equatable {
            /// 1 to 365; the 29th of February is never counted.
            case julian(Int)
            /// 0 to 365.
            case ordinal(Int)
            /// The week 5 is the month's last one; weekday 0 is Sunday.
            case weekday(month: Int, week: Int, weekday: Int)
        }

        let rule: Rule
        /// Seconds from midnight; may be negative, or more than a day.
        let time: Int

        /// Seconds since 1970 on the wall.
        func wall(in year: Int) -> Int {
            let start = CivilTime.days(year: year, month: 1, day: 1)
            switch rule {
            case .julian(let day):
                return (start + day - 1 + (CivilTime.isLeap(year) && day > 59 ? 1 : 0)) * 86_400 + time
            case .ordinal(let day):
                return (start + day) * 86_400 + time
            case .weekday(let month, let week, let weekday):
                let first = CivilTime.days(year: year, month: month, day: 1)
                let next = CivilTime.days(
                    year: month == 12 ? year + 1 : year,
                    month: month == 12 ? 1 : month + 1,
                    day: 1
                )
                var day = first + (weekday - CivilTime.weekday(ofDay: first) + 7) % 7 + (week - 1) * 7
                while day >= next { day -= 7 }
                return day * 86_400 + time
            }
        }
    }

    /// - Returns: nil where the text is empty or no such rule.
    init?(_ text: Substring) {
        var rest = text
        guard Self.name(&rest), let west = Self.time(&rest) else { return nil }
        standard = -west
        guard !rest.isEmpty else {
            summer = nil
            return
        }
        guard Self.name(&rest) else { return nil }
        let offset = rest.first == "," ? standard + 3600 : Self.time(&rest).map { -$0 }
        guard let offset, let begins = Self.day(&rest), let ends = Self.day(&rest), rest.isEmpty else { return nil }
        summer = Summer(offset: offset, begins: begins, ends: ends)
    }

    func offset(at instant: Int) -> Int {
        guard let summer else { return standard }
        let year = CivilTime(seconds: instant + standard).year
        let begins = summer.begins.wall(in: year) - standard
        let ends = summer.ends.wall(in: year) - summer.offset
        // South of the equator summer spans the new year.
        let isSummer =
            begins < ends
            ? instant >= begins && instant < ends
            : instant >= begins || instant < ends
        return isSummer ? summer.offset : standard
    }

    // MARK: Reading

    /// `CET`, or `<+0545>`.
    private static func name(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
            return true
        }
        let letters = rest.prefix { $0.isASCII && $0.isLetter }
        rest = rest.dropFirst(letters.count)
        return letters.count >= 3
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ rest: inout Substring) -> Int? {
        var sign = 1
        if let first = rest.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        guard var total = number(&rest).map({ $0 * 3600 }) else { return nil }
        for unit in [60, 1] where rest.first == ":" {
            rest = rest.dropFirst()
            guard let value = number(&rest) else { return nil }
            total += value * unit
        }
        return sign * total
    }

    private static func number(_ rest: inout Substring) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return Int(digits)
    }

    /// `,M3.5.0/2`, `,J60` or `,59`.
    private static func day(_ rest: inout Substring) -> Day? {
        guard rest.first == "," else { return nil }
        rest = rest.dropFirst()
        guard let rule = rule(&rest) else { return nil }
        guard rest.first == "/" else { return Day(rule: rule, time: 7200) }
        rest = rest.dropFirst()
        return time(&rest).map { Day(rule: rule, time: $0) }
    }

    private static func rule(_ rest: inout Substring) -> Day.Rule? {
        switch rest.first {
        case "J":
            rest = rest.dropFirst()
            return number(&rest).map(Day.Rule.julian)
        case "M":
            rest = rest.dropFirst()
            guard let month = number(&rest), (1...12).contains(month), rest.first == "." else { return nil }
            rest = rest.dropFirst()
            guard let week = number(&rest), (1...5).contains(week), rest.first == "." else { return nil }
            rest = rest.dropFirst()
            guard let weekday = number(&rest), (0...6).contains(weekday) else { return nil }
            return .weekday(month: month, week: week, weekday: weekday)
        default:
            return number(&rest).map(Day.Rule.ordinal)
        }
    }
}
