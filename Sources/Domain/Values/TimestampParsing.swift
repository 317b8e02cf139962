extension Timestamp {
    /// Reads `2030-01-31T12:00:00Z`, with or without a fraction of a second, in UTC (RFC 3339 with `Z` only).
    ///
    /// Nil for anything else, a day that its month does not have included.
    package init?(iso8601 text: String) {
        guard let match = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?Z/),
            let year = Int(match.1), let month = Int(match.2), let day = Int(match.3), let hour = Int(match.4),
            let minute = Int(match.5), let second = Int(match.6), (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let seconds = Timestamp.day(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        let fraction = match.7.map { String($0) } ?? ""
        let micros = Int64(fraction + String(repeating: "0", count: 6 - fraction.count)) ?? 0
        self.init(microseconds: Int64(seconds) * 1_000_000 + micros)
        guard self.seconds.hasPrefix(text.prefix(10)) else { return nil }
    }
}
