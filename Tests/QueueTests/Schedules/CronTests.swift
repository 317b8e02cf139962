import Foundation
import Queue
import Testing

@Suite("Cron expressions in IANA time zones")
struct CronTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let cron: String
        let zone: String
        let after: String
        let ticks: [String]

        var testDescription: String { "\(cron) in \(zone) after \(after)" }

        init(_ cron: String, _ zone: String, after: String, _ ticks: String...) {
            (self.cron, self.zone, self.after, self.ticks) = (cron, zone, after, ticks)
        }
    }

    private static let plain: [Row] = [
        Row(
            "*/15 9 * * *",
            "UTC",
            after: "2026-01-01T09:20:00Z",
            "2026-01-01T09:30:00Z",
            "2026-01-01T09:45:00Z",
            "2026-01-02T09:00:00Z"
        ),
        Row("*/20 * * * * *", "UTC", after: "2026-01-01T23:59:30Z", "2026-01-01T23:59:40Z", "2026-01-02T00:00:00Z"),
        Row("@weekly", "UTC", after: "2026-02-03T00:00:00Z", "2026-02-08T00:00:00Z", "2026-02-15T00:00:00Z"),
        Row("@hourly", "UTC", after: "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"),
        Row("0 9 * Jan-MAR mon-fri", "UTC", after: "2026-03-31T09:00:00Z", "2027-01-01T09:00:00Z"),
        Row(
            "5,10-12/2,50/5 0 1 1 *",
            "UTC",
            after: "2026-01-01T00:00:00Z",
            "2026-01-01T00:05:00Z",
            "2026-01-01T00:10:00Z",
            "2026-01-01T00:12:00Z",
            "2026-01-01T00:50:00Z",
            "2026-01-01T00:55:00Z",
            "2027-01-01T00:05:00Z"
        ),
        // Both days are restricted: either fits.
        Row(
            "0 0 13 * 5",
            "UTC",
            after: "2026-02-01T00:00:00Z",
            "2026-02-06T00:00:00Z",
            "2026-02-13T00:00:00Z",
            "2026-02-20T00:00:00Z"
        ),
        Row("0 0 14 * 7", "UTC", after: "2026-02-09T00:00:00Z", "2026-02-14T00:00:00Z", "2026-02-15T00:00:00Z"),
        // One begins with a star: both must fit.
        Row("0 0 */2 * 5", "UTC", after: "2026-02-01T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-27T00:00:00Z"),
        Row("0 0 29 2 *", "UTC", after: "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"),
        Row("0 0 29 2 *", "UTC", after: "2097-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        Row("0 0 31 * *", "UTC", after: "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"),
    ]

    private static let changes: [Row] = [
        // Clocks go forward at 02:00 and there is no 02:30: the first moment after the gap, once.
        Row(
            "30 2 * * *",
            "Europe/Berlin",
            after: "2026-03-28T02:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:30:00Z"
        ),
        Row(
            "*/10 2 * * *",
            "Europe/Berlin",
            after: "2026-03-28T02:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:00:00Z"
        ),
        // Clocks go back at 03:00 and 02:30 comes twice: the first one.
        Row(
            "30 2 * * *",
            "Europe/Berlin",
            after: "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z"
        ),
        // Each real hour.
        Row(
            "30 * * * *",
            "Europe/Berlin",
            after: "2026-10-24T23:40:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:30:00Z"
        ),
        Row(
            "30 * * * *",
            "Europe/Berlin",
            after: "2026-03-29T00:00:00Z",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:30:00Z"
        ),
        Row(
            "15 2 * * *",
            "America/New_York",
            after: "2026-03-07T12:00:00Z",
            "2026-03-08T07:00:00Z",
            "2026-03-09T06:15:00Z"
        ),
        Row(
            "15 1 * * *",
            "America/New_York",
            after: "2026-10-31T12:00:00Z",
            "2026-11-01T05:15:00Z",
            "2026-11-02T06:15:00Z"
        ),
        Row(
            "0 */2 * * *",
            "America/New_York",
            after: "2026-11-01T03:00:00Z",
            "2026-11-01T04:00:00Z",
            "2026-11-01T07:00:00Z",
            "2026-11-01T09:00:00Z"
        ),
        Row(
            "0 * * * *",
            "America/New_York",
            after: "2026-11-01T04:30:00Z",
            "2026-11-01T05:00:00Z",
            "2026-11-01T06:00:00Z",
            "2026-11-01T07:00:00Z"
        ),
        // Half an hour of summer time, south of the equator.
        Row(
            "15 2 * * *",
            "Australia/Lord_Howe",
            after: "2026-10-03T00:00:00Z",
            "2026-10-03T15:30:00Z",
            "2026-10-04T15:15:00Z"
        ),
        Row(
            "45 1 * * *",
            "Australia/Lord_Howe",
            after: "2026-04-04T00:00:00Z",
            "2026-04-04T14:45:00Z",
            "2026-04-05T15:15:00Z"
        ),
        Row(
            "*/30 * * * *",
            "Australia/Lord_Howe",
            after: "2026-04-04T14:00:00Z",
            "2026-04-04T14:30:00Z",
            "2026-04-04T15:00:00Z",
            "2026-04-04T15:30:00Z"
        ),
        Row(
            "0 6 * * *",
            "Asia/Kathmandu",
            after: "2026-01-01T00:00:00Z",
            "2026-01-01T00:15:00Z",
            "2026-01-02T00:15:00Z"
        ),
        // Before the first standard time: Kathmandu was at +5:30 until the end of 1985.
        Row("0 6 * * *", "Asia/Kathmandu", after: "1985-06-01T00:00:00Z", "1985-06-01T00:30:00Z"),
        // Far beyond the file's own table, by the rule at its end.
        Row("0 12 4 7 *", "America/New_York", after: "2099-07-01T00:00:00Z", "2099-07-04T16:00:00Z"),
        Row("0 12 25 12 *", "America/New_York", after: "2099-12-01T00:00:00Z", "2099-12-25T17:00:00Z"),
        Row("0 12 1 7 *", "Europe/Berlin", after: "2400-06-01T00:00:00Z", "2400-07-01T10:00:00Z"),
        Row("0 12 1 1 *", "Australia/Lord_Howe", after: "2090-12-01T00:00:00Z", "2091-01-01T01:00:00Z"),
        Row("30 2 * * *", "Europe/Berlin", after: "2099-03-28T12:00:00Z", "2099-03-29T01:00:00Z"),
    ]

    @Test("The next ticks are those of the table", arguments: CronTests.plain + CronTests.changes)
    func table(row: Row) throws {
        let format = ISO8601DateFormatter()
        let cron = try CronExpression(row.cron)
        let zone = try ZoneRules(row.zone)
        var last = Int(try #require(format.date(from: row.after)).timeIntervalSince1970)
        for expected in row.ticks {
            last = try #require(cron.next(after: last, in: zone))
            #expect(format.string(from: Date(timeIntervalSince1970: TimeInterval(last))) == expected)
        }
    }

    @Test(
        "Ticks ascend, and each hour of a year has one, whatever the clocks do",
        arguments: [
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
        ]
    )
    func hourly(name: String) throws {
        let zone = try ZoneRules(name)
        let cron = try CronExpression("*/30 * * * *")
        let start = 1_767_225_600
        var last = start
        for _ in 0..<(365 * 48) {
            let next = try #require(cron.next(after: last, in: zone))
            #expect(next > last && next - last <= 1800)
            last = next
        }
    }

    @Test(
        "What is wrong is named",
        arguments: [
            ("61 * * * *", "minute 61"), ("* 24 * * *", "hour 24"), ("* * 0 * *", "day of month 0"),
            ("* * * *", "4 fields"),
            ("* * * 13 *", "month 13"), ("* * * * mondy", "mondy"), ("5-1 * * * *", "backwards"),
            ("*/0 * * * *", "step"),
            ("@reboot", "nickname"), ("1,,2 * * * *", "\"\""), ("", "0 fields"), ("1-2-3 * * * *", "1-2-3"),
            ("-1 * * * *", "\"\""),
        ]
    )
    func errors(text: String, part: String) throws {
        let error = try #require(throws: CronError.self) { try CronExpression(text) }
        #expect(error.description.contains(part), "\(error)")
    }

    @Test(
        "A zone that does not exist, or is none, is refused",
        arguments: [
            "Mars/Base", "../../../etc/passwd", "/etc/passwd", "", "Europe/Berlin\0", "tzdata.zi", "Europe",
        ]
    )
    func zones(name: String) throws {
        let error = try #require(throws: ZoneError.self) { try ZoneRules(name) }
        #expect(error.description.contains(name.isEmpty ? "no name of a time zone" : String(name.prefix(6))))
    }

    @Test("A schedule that never ticks is refused")
    func never() throws {
        let cron = try CronExpression("0 0 30 2 *")
        #expect(throws: ScheduleError.self) {
            try Schedule(name: "never", job: NewJob(kind: "k", queue: "q"), cron: cron, zone: ZoneRules("UTC"))
        }
    }
}
