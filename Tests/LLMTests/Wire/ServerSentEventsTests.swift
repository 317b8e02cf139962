import Testing

@testable import LLM

@Suite("Server-sent events")
struct ServerSentEventsTests {
    private func read(_ pieces: [ArraySlice<UInt8>]) -> [String] {
        var events = ServerSentEvents()
        var found: [String] = []
        for piece in pieces { events.feed(Array(piece).span) { found.append(String(decoding: $0, as: UTF8.self)) } }
        events.finish { found.append(String(decoding: $0, as: UTF8.self)) }
        return found
    }

    @Test(
        "A stream reads the same wherever it is cut: at every byte, and at every two places",
        arguments: [
            "data: one\n\ndata: two\n\ndata: [DONE]\n\n",
            "data: one\r\n\r\n: a remark\r\n\r\ndata: two\r\n\r\ndata: [DONE]\r\n\r\n",
            "data: one\r\rdata: two\r\rdata: [DONE]\r\r",
            "\u{FEFF}event: x\nid: 7\ndata:one\n\nretry: 5\ndata: two\n\n\n\ndata: [DONE]",
        ]
    )
    func cuts(stream: String) {
        let bytes = Array(stream.utf8)
        let expected = ["one", "two", "[DONE]"]
        #expect(read([bytes[...]]) == expected)
        #expect(read(bytes.indices.map { bytes[$0...$0] }) == expected)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                #expect(read([bytes[..<first], bytes[first..<second], bytes[second...]]) == expected)
            }
        }
    }

    @Test("Lines of data of one event are joined; a data line without a colon is an empty line")
    func lines() {
        #expect(read([Array("data: a\ndata: b\ndata\n\n".utf8)[...]]) == ["a\nb\n"])
        #expect(read([Array("database: no\n\ndata:  two spaces\n\n".utf8)[...]]) == [" two spaces"])
    }

    @Test("Characters of several bytes survive any cut")
    func characters() {
        let bytes = Array("data: né 😀\n\n".utf8)
        for cut in 0...bytes.count { #expect(read([bytes[..<cut], bytes[cut...]]) == ["né 😀"]) }
    }
}
