import ArgumentParser

/// A span of time on the command line: `90s`, `15m`, `2h`, `14d`.
struct Span: ExpressibleByArgument, Sendable {
    let duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    var defaultValueDescription: String { "\(duration.components.seconds)s" }

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last, let seconds = units[unit], let number = Double(argument.dropLast()),
            number >= 0, number * seconds < 3e9
        else { return nil }
        duration = .seconds(number * seconds)
    }
}

/// So many in a time, on the command line: `50/s`, `600/m`.
struct Rate: ExpressibleByArgument, Sendable {
    let perSecond: Double

    init?(argument: String) {
        let parts = argument.split(separator: "/")
        let units: [Substring: Double] = ["s": 1, "m": 60, "h": 3600]
        guard parts.count == 2, let number = Double(parts[0]), let seconds = units[parts[1]], number > 0,
            number.isFinite
        else { return nil }
        perSecond = number / seconds
    }
}
