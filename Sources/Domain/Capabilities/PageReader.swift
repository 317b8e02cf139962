/// Turns what a web server sent into readable text. Pure; one that reads HTML knows a parser.
package protocol PageReader: Sendable {
    /// Never trusts the bytes, and comes back a moment after the deadline at the latest. It blocks its thread.
    ///
    /// - Returns: nil where it does not read this type at all.
    func read(_ source: PageSource, until deadline: ContinuousClock.Instant) -> PageText?
}

/// The body of an answer, and what the server said about it.
package struct PageSource: Sendable {
    package let bytes: [UInt8]
    /// In lower case, without parameters: `text/html`.
    package let type: String
    /// As the server named it; nil where it did not.
    package let charset: String?
    /// Links are written relative to it.
    package let url: String

    package init(bytes: [UInt8], type: String, charset: String?, url: String) {
        self.bytes = bytes
        self.type = type
        self.charset = charset
        self.url = url
    }
}

/// The text of a page.
package struct PageText: Sendable, Equatable {
    package let title: String?
    /// At most 512,000 bytes, cut at a character; empty where the page has no text.
    package let text: String
    /// The end is missing: of the text, or because reading took too long.
    package let truncated: Bool

    package init(title: String?, text: String, truncated: Bool) {
        self.title = title
        self.text = text
        self.truncated = truncated
    }
}
