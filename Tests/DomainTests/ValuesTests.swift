import Domain
import Foundation
import Testing

@Suite("Values")
struct ValuesTests {
    @Test(
        "Slugs are lower case with single dashes",
        arguments: [
            ("Go To Market  Strategy!", "go-to-market-strategy"), ("  Ünïcode & Co. ", "n-code-co"),
            ("!!!", "engagement"),
        ]
    )
    func slugs(name: String, slug: String) {
        #expect(Engagement.slug(of: name) == slug)
    }

    @Test("Bytes are two digits each, and what is percent-encoded is read back by others")
    func digits() {
        let bytes: [UInt8] = [0x00, 0x0A, 0xF0, 0xFF]
        #expect(bytes.hexadecimal == "000af0ff" && bytes.prefix(0).hexadecimal.isEmpty)
        #expect("a-Z_0.9~/é \u{1}%".percentEncoded() == "a-Z_0.9~%2F%C3%A9%20%01%25")
        #expect("a/b&c".percentEncoded(keeping: "/") == "a/b%26c")
        let text = "Ünï / ½ & 😀 +?\n"
        #expect(text.percentEncoded().removingPercentEncoding == text)
    }

    @Test("Moments are written in UTC, leap years and times before 1970 included")
    func timestamps() {
        #expect(Timestamp(microseconds: 1_760_517_000_123_456).milliseconds == "2025-10-15T08:30:00.123Z")
        #expect(Timestamp(microseconds: 1_709_164_800_000_000).seconds == "2024-02-29T00:00:00Z")
        #expect(Timestamp(microseconds: -1).milliseconds == "1969-12-31T23:59:59.999Z")
    }

    @Test("JSON that is read is written back with the same meaning, keys sorted")
    func json() throws {
        let text = #"{"b":[1,2.5,true,null,"a\"\\\n\u0001é😀"],"a":{"x":-0.001,"y":12345678901}}"#
        let json = try JSON(parsing: Data(text.utf8))
        #expect(try JSON(parsing: Data(json.text.utf8)) == json)
        #expect(json.text.hasPrefix(#"{"a":{"x":-0.001,"y":12345678901},"b":[1,2.5,true,null,"#))
    }

    @Test("Money is exact: a tenth added ten times is one dollar")
    func money() throws {
        let tenth = try #require(NanoUSD(dollars: 0.1))
        #expect((0..<10).reduce(NanoUSD.zero) { sum, _ in sum + tenth } == NanoUSD(nanos: 1_000_000_000))
        #expect(NanoUSD(nanos: 4_979_999_999).cents == "4.97")
        #expect(NanoUSD(dollars: .infinity) == nil)
    }

    @Test("Identifiers have the documented form and do not repeat")
    func identifiers() {
        let ids = Set((0..<1000).map { _ in CUID.make() })
        #expect(ids.count == 1000)
        #expect(ids.allSatisfy { $0.wholeMatch(of: /c[a-z0-9]{24}/) != nil })
    }
}
