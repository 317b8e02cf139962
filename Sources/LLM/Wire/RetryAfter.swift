import Domain
import NIOHTTP1

/// How long a provider asks to be left alone.
enum RetryAfter {
    /// `retry-after-ms`, else `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3).
    ///
    /// - Parameters:
    ///   - headers: the response's.
    ///   - now: what a date is compared with where the response has no `Date` of its own.
    /// - Returns: never negative; nil where the provider does not say.
    static func wait(in headers: HTTPHeaders, now: Timestamp) -> Duration? {
        if let text = headers.first(name: "retry-after-ms"), let milliseconds = Double(text), milliseconds.isFinite {
            return seconds(milliseconds / 1_000)
        }
        guard let text = headers.first(name: "retry-after") else { return nil }
        if let number = Double(text), number.isFinite { return seconds(number) }
        guard let due = HTTPDate.parse(text) else { return nil }
        let from = headers.first(name: "date").flatMap(HTTPDate.parse) ?? now
        return max(.zero, .microseconds(due.microseconds - from.microseconds))
    }

    /// A year is as good as for ever, and keeps the number within bounds.
    private static func seconds(_ number: Double) -> Duration { .seconds(min(max(number, 0), 31_536_000)) }
}

/// Dates of HTTP headers.
enum HTTPDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may be sent (RFC 9110, 5.6.7); nil for any other.
    static func parse(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = months.firstIndex(of: String(parts[2])), (1...31).contains(day), (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        let days = Timestamp.day(year: year, month: month + 1, day: day)
        let seconds = days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]
        return Timestamp(microseconds: Int64(seconds) * 1_000_000)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
