/// A fetched page as the Markdown file that is attached to an engagement (contract, decision D-48).
package struct PageDocument: Sendable, Equatable {
    /// `example.com_blog_post.md`: host and path of the URL that was asked for, at most 120 characters.
    package let filename: String
    /// `Fetched from example.com: Blog Post Title`
    package let summary: String
    /// A block of metadata, and the page's text.
    package let text: String

    /// The kind of file that it is.
    package static let mimeType = "text/markdown"

    /// - Parameters:
    ///   - asked: the URL as the caller gave it.
    ///   - time: when it was fetched.
    package init(_ page: FetchedPage, asked: String, at time: Timestamp) {
        let parts = try? URLParts(asked)
        let host = parts?.host ?? "page"
        filename = Self.filename(host, parts?.target ?? "")
        summary = "Fetched from \(host)" + (page.title.map { ": \($0)" } ?? "")
        // JSON's strings are YAML's too.
        text = """
            ---
            source: \(parts?.canonical ?? asked)
            title: \(page.title.map { JSON.string($0).text } ?? "null")
            fetched_at: \(time.milliseconds)
            content_type: \(page.contentType)
            truncated: \(page.truncated)
            ---

            \(page.text)

            """
    }

    private static let lengthLimit = 117

    private static func filename(_ host: String, _ target: String) -> String {
        var name = host.replacing(":", with: "_")
        var path = target.prefix { $0 != "?" }.utf8[...]
        while let byte = path.popFirst(), name.utf8.count < lengthLimit {
            // An escaped byte is one other character.
            if byte == 0x25 { path = path.dropFirst(2) }
            name.append(isPlain(byte) ? Character(Unicode.Scalar(byte)) : "_")
        }
        while name.last == "_" { name.removeLast() }
        return name + ".md"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
    }
}
