/// One field of a cron expression: which of its values are meant.
struct CronField: Sendable, Equatable {
    /// A bit for each value.
    private(set) var values: UInt64 = 0
    /// It begins with `*`: it restricts nothing, in the sense of cron(5)'s rule for days and hours.
    let isWildcard: Bool

    /// What a field may hold.
    struct Kind: Sendable {
        let name: String
        let range: ClosedRange<Int>
        var names: [String] = []

        static let second = Kind(name: "second", range: 0...59)
        static let minute = Kind(name: "minute", range: 0...59)
        static let hour = Kind(name: "hour", range: 0...23)
        static let dayOfMonth = Kind(name: "day of month", range: 1...31)
        static let month = Kind(
            name: "month",
            range: 1...12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        )
        /// 7 is Sunday too.
        static let dayOfWeek = Kind(
            name: "day of week",
            range: 0...7,
            names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        )
    }

    /// The value 0 alone: the second of an expression with five fields.
    static let zero = CronField(only: 0)

    private init(only value: Int) {
        values = 1 << UInt64(value)
        isWildcard = false
    }

    /// Reads a list of `*`, `a`, `a-b`, each with an optional `/step`.
    init(_ text: Substring, _ kind: Kind) throws(CronError) {
        isWildcard = text.hasPrefix("*")
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            values |= try Self.bits(part, kind)
        }
        // Sunday has two numbers.
        if kind.range.upperBound == 7, contains(7) { values |= 1 }
    }

    func contains(_ value: Int) -> Bool { values & (1 << UInt64(value)) != 0 }

    /// The smallest value that is at least `value`.
    func next(from value: Int) -> Int? {
        guard value < 64 else { return nil }
        let rest = (values >> UInt64(value)) << UInt64(value)
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    private static func bits(_ part: Substring, _ kind: Kind) throws(CronError) -> UInt64 {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard let base = pieces.first, pieces.count <= 2 else { throw unreadable(part, kind) }
        var range = try range(base, kind)
        var step = 1
        if pieces.count == 2 {
            guard let number = Int(pieces[1]), number >= 1, number <= kind.range.upperBound else {
                throw CronError("the step \"\(pieces[1])\" of the \(kind.name) must be a number from 1 on")
            }
            step = number
            // `5/10` is "from 5 on, each tenth".
            if range.count == 1, base != "*" { range = range.lowerBound...kind.range.upperBound }
        }
        return stride(from: range.lowerBound, through: range.upperBound, by: step)
            .reduce(0) { $0 | (1 << UInt64($1)) }
    }

    private static func range(_ text: Substring, _ kind: Kind) throws(CronError) -> ClosedRange<Int> {
        if text == "*" { return kind.range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = ends.first, let last = ends.last, ends.count <= 2 else { throw unreadable(text, kind) }
        let from = try value(first, kind)
        let to = try value(last, kind)
        guard from <= to else {
            throw CronError("the \(kind.name) range \"\(text)\" runs backwards: write it as a list of two ranges")
        }
        return from...to
    }

    private static func value(_ text: Substring, _ kind: Kind) throws(CronError) -> Int {
        if let position = kind.names.firstIndex(of: text.lowercased()) {
            return position + (kind.range.lowerBound == 1 ? 1 : 0)
        }
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(text) else {
            throw unreadable(text, kind)
        }
        guard kind.range.contains(number) else {
            let limits = "\(kind.range.lowerBound) to \(kind.range.upperBound)"
            throw CronError("the \(kind.name) \(number) is out of range: it goes from \(limits)")
        }
        return number
    }

    private static func unreadable(_ text: Substring, _ kind: Kind) -> CronError {
        let names = kind.names.isEmpty ? "" : ", or a name such as \"\(kind.names[1])\""
        return CronError("\"\(text)\" is no \(kind.name): write *, 3, 1-5, */10, a list of these\(names)")
    }
}

/// A cron expression that cannot be read. The text says which part and what it should be.
package struct CronError: Error, CustomStringConvertible, Equatable {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
