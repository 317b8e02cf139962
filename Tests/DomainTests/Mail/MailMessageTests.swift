import Domain
import Foundation
import Testing

/// How a mail is written: RFC 5322, 2045 and 2047.
@Suite("Mails as bytes")
struct MailMessageTests {
    private func message(_ subject: String, _ text: String = "Hello.") throws -> [String] {
        let message = MailMessage(
            from: try #require(MailAddress("crew@example.com")),
            to: try #require(MailAddress("ada@example.org")),
            subject: subject,
            text: text,
            id: "eml_c1",
            date: Timestamp(microseconds: 1_795_267_590_000_000)
        )
        return String(decoding: message.bytes, as: UTF8.self).components(separatedBy: "\r\n")
    }

    private func body(_ lines: [String]) throws -> String {
        let start = try #require(lines.firstIndex(of: "")) + 1
        let bytes = try #require(Data(base64Encoded: lines[start...].joined()))
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("The headers are complete, the Message-ID is made of the row's id, and the date is RFC 5322's")
    func headers() throws {
        let lines = try message("Started: Norway")
        #expect(lines.contains("From: Groundcrew <crew@example.com>"))
        #expect(lines.contains("To: <ada@example.org>"))
        #expect(lines.contains("Message-ID: <eml_c1@example.com>"))
        #expect(lines.contains("Subject: Started: Norway"))
        #expect(lines.contains("Date: Sat, 21 Nov 2026 13:26:30 +0000"))
        #expect(lines.contains("Auto-Submitted: auto-generated"))
        #expect(try message("Started: Norway") == lines)
    }

    @Test(
        "A subject can begin no other header, whatever is in it",
        arguments: [
            "a\r\nBcc: x@y.example", "a\nBcc: x", "a\rBcc: x", "a\u{0}b", "a\u{85}Bcc: x\u{2028}y", "=?UTF-8?B?QQ==?=",
        ]
    )
    func injection(subject: String) throws {
        let lines = try message(subject)
        let header = lines.prefix { !$0.isEmpty }
        #expect(!header.contains { $0.hasPrefix("Bcc") })
        #expect(header.allSatisfy { $0.hasPrefix(" ") || $0.contains(": ") })
        #expect(header.count { !$0.hasPrefix(" ") } == 9)
    }

    @Test("Any script comes through in words of at most 75 characters, cut between characters; lines are short")
    func words() throws {
        let subject = "Completed: " + String(repeating: "Ölförderung 日本語 👩‍🚀 ", count: 12)
        let lines = try message(subject, String(repeating: "Ünï ", count: 400))
        #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 128 } })
        let start = try #require(lines.firstIndex { $0.hasPrefix("Subject: ") })
        let words = lines[start...].prefix { $0.hasPrefix("Subject: ") || $0.hasPrefix(" ") }
            .map { $0.replacing("Subject: ", with: "").trimmingCharacters(in: .whitespaces) }
        #expect(words.allSatisfy { $0.count <= 75 && $0.hasPrefix("=?UTF-8?B?") && $0.hasSuffix("?=") })
        let pieces = try words.map { word in
            let bytes = try #require(Data(base64Encoded: String(word.dropFirst(10).dropLast(2))))
            return try #require(String(data: bytes, encoding: .utf8))
        }
        #expect(String(subject.unicodeScalars.prefix(200)) == pieces.joined())
    }

    @Test("The body comes through with CRLF for every kind of line break")
    func lineBreaks() throws {
        #expect(try body(message("s", "a\nb\r\n.\n\nFrom c")) == "a\r\nb\r\n.\r\n\r\nFrom c")
    }

    @Test(
        "What is no plain address is refused",
        arguments: [
            "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "a@b\r\nBcc: x", "a\n@b", "<a>@b", "a@[127.0.0.1]", "ä@b",
            "a@ö", "\"a b\"@c", "a,b@c", "a\u{0}@b", String(repeating: "a", count: 250) + "@b.example",
        ]
    )
    func addresses(text: String) {
        #expect(MailAddress(text) == nil)
    }

    @Test(
        "Ordinary addresses pass as they are",
        arguments: ["ada@example.org", "a.b+c@d-e.example", "owner@c1.example"]
    )
    func plain(text: String) throws {
        let address = try #require(MailAddress(text))
        #expect(address.text == text && text.hasSuffix("@" + address.domain))
    }

    @Test(
        "Every template has words for what it is given, and none for what is missing",
        arguments: MailTemplate.allCases
    )
    func templates(template: MailTemplate) {
        let data: JSON = [
            "name": "Norway", "client": "Acme", "runId": "r1", "error": "Stopped by user", "url": "https://a.example/x",
            "reason": "it answered 410", "endpointId": "whe_1", "estimatedCost": 0.5,
        ]
        let (subject, text) = template.words(data)
        #expect(!subject.isEmpty && (text.contains("Norway") || text.contains("https://a.example/x")))
        #expect(text.contains("0.5") && text.contains("You get this mail because"))
        #expect(!template.words([:]).text.contains("null"))
    }
}
