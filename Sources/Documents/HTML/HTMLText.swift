import Domain

/// A page as text that a person or a model reads: Markdown as far as it helps.
///
/// Headings have their `#`, lists their marks, tables ` | ` between cells, links their address behind them; code blocks are
/// fenced and kept as they are. Scripts, styles, templates, hidden parts and navigation are gone.
package struct HTMLText: Sendable, Equatable {
    /// Of the page itself, else its first heading.
    package let title: String?
    package let text: String
    /// The end is missing.
    package let truncated: Bool

    /// Any bytes are a page, so this never fails.
    ///
    /// - Parameters:
    ///   - html: UTF-8, as ``TextDecoding`` makes it.
    ///   - url: links are written relative to it; nil leaves relative ones out.
    ///   - limit: bytes of text.
    ///   - deadline: then the page is cut at what was read. It may be overrun by a second.
    package init(
        _ html: String,
        url: String? = nil,
        limit: Int = 512_000,
        until deadline: ContinuousClock.Instant = .now + .seconds(5)
    ) {
        // To the parser a NUL is the end.
        let bytes = Array(Self.withoutBlobs(html.utf8))
        let base = url.flatMap { try? URLParts($0) }
        let first = Self.read(bytes, base, limit, deadline, withNavigation: false)
        // Some pages are nothing but their navigation.
        self = first.text.isEmpty ? Self.read(bytes, base, limit, deadline, withNavigation: true) : first
    }

    private init(title: String?, text: String, truncated: Bool) {
        self.title = title
        self.text = text
        self.truncated = truncated
    }

    private static func read(
        _ bytes: [UInt8],
        _ base: URLParts?,
        _ limit: Int,
        _ deadline: ContinuousClock.Instant,
        withNavigation: Bool
    ) -> HTMLText {
        let writer = HTMLWriter(base: base, limit: limit, withNavigation: withNavigation)
        let isWhole = HTMLParser.parse(bytes, into: writer, until: deadline)
        let (text, isCut) = UTF8Cut.string(writer.finish(), limit: limit)
        return HTMLText(title: writer.title, text: text, truncated: isCut || !isWhole)
    }

    /// Leaves out NULs, and runs of ASCII that are too long for words: images that are written into the page as text.
    private static func withoutBlobs(_ bytes: String.UTF8View) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var run = 0
        for byte in bytes where byte != 0 {
            let ends = byte <= 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x27 || byte == 0x3C || byte == 0x3E
            run = ends ? 0 : run + 1
            if run <= longestRun { out.append(byte) }
        }
        return out
    }

    private static let longestRun = 8192
}

/// Text that is not longer than allowed.
enum UTF8Cut {
    /// - Returns: the bytes as a string, cut at a character (a Unicode scalar), and whether that was needed.
    static func string(_ bytes: [UInt8], limit: Int) -> (text: String, isCut: Bool) {
        guard bytes.count > limit else { return (String(decoding: bytes, as: UTF8.self), false) }
        var end = limit
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return (String(decoding: bytes[..<end], as: UTF8.self), true)
    }
}
