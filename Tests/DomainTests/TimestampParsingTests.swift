import Domain
import Testing

@Suite("Reading moments")
struct TimestampParsingTests {
    @Test(
        "a moment in UTC is read as it is written",
        arguments: ["2030-01-31T12:00:00Z", "1970-01-01T00:00:00Z", "2028-02-29T23:59:59Z"]
    )
    func reads(text: String) {
        #expect(Timestamp(iso8601: text)?.seconds == text)
    }

    @Test("fractions are kept to the microsecond")
    func fractions() {
        #expect(Timestamp(iso8601: "1970-01-01T00:00:01.5Z")?.microseconds == 1_500_000)
        #expect(Timestamp(iso8601: "1970-01-01T00:00:00.0000019Z")?.microseconds == 1)
    }

    @Test(
        "anything else is nothing",
        arguments: [
            "", "tomorrow", "2030-01-31", "2030-01-31T12:00:00", "2030-01-31T12:00:00+01:00", "2030-02-30T00:00:00Z",
            "2030-13-01T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01T00:00:60Z",
        ]
    )
    func refuses(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }
}
