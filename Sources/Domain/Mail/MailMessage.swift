private import FoundationEssentials

/// One mail to one person, as text. Its bytes are the same whenever they are asked for.
package struct MailMessage: Sendable {
    package let from: MailAddress
    package let to: MailAddress
    package let subject: String
    package let text: String
    /// Names the mail for ever: the part of the Message-ID before the `@`. Letters, digits and `_` only.
    package let id: String
    package let date: Timestamp

    /// - Parameters:
    ///   - subject: any text; line breaks and other control characters become spaces, and 200 characters are kept.
    ///   - text: the body, with any line breaks.
    ///   - id: a row's id, unique among all mails of the sender's domain.
    package init(from: MailAddress, to: MailAddress, subject: String, text: String, id: String, date: Timestamp) {
        self.from = from
        self.to = to
        self.subject = subject
        self.text = text
        self.id = id
        self.date = date
    }

    /// As it is sent: RFC 5322 with MIME (RFC 2045), lines end in CRLF, no byte above 127, no line over 78 characters.
    package var bytes: [UInt8] {
        let headers = [
            "Date: \(Self.date(date))",
            "From: Groundcrew <\(from)>",
            "To: <\(to)>",
            "Message-ID: <\(id)@\(from.domain)>",
            "Subject: \(EncodedWords.header(subject, after: 9))",
            // Nobody is to answer a machine with a machine (RFC 3834).
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
        ]
        return Array((headers + [""] + Self.body(text)).map { $0 + "\r\n" }.joined().utf8)
    }

    /// Base64 in lines of 76 (RFC 2045 6.8): no line of it can be taken for anything else.
    private static func body(_ text: String) -> [String] {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\r\n")
        let encoded = Array(Data(lines.utf8).base64EncodedString().utf8)
        return stride(from: 0, to: encoded.count, by: 76).map { start in
            String(decoding: encoded[start..<min(start + 76, encoded.count)], as: UTF8.self)
        }
    }

    /// `Sat, 21 Nov 2026 13:26:30 +0000` (RFC 5322 3.3).
    private static func date(_ moment: Timestamp) -> String {
        let text = moment.seconds
        let numbers = text.split { !$0.isNumber }
        let days = moment.microseconds / 86_400_000_000
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(((days % 7) + 7) % 7)]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[max(1, Int(numbers[1]) ?? 1) - 1]
        return "\(weekday), \(numbers[2]) \(month) \(numbers[0]) \(text.dropFirst(11).prefix(8)) +0000"
    }
}

/// Text in a header (RFC 2047).
enum EncodedWords {
    /// - Parameter used: characters of the first line that the header's name takes.
    /// - Returns: the text itself where it is short ASCII; else base64 words, folded. It cannot begin another header.
    static func header(_ text: String, after used: Int) -> String {
        let plain = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? " " : $0 }
            )
        )
        let isSafe = plain.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !plain.contains("=?")
        if isSafe, plain.utf8.count + used <= 78 { return plain }
        return words(plain).map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// Pieces of at most 39 bytes, which never cut a code point: a line with a word has 76 characters at most (RFC 2047 2).
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for scalar in text.unicodeScalars {
            if word.utf8.count + UTF8.width(scalar) > 39 {
                words.append(word)
                word = ""
            }
            word.unicodeScalars.append(scalar)
        }
        return words + [word]
    }
}
