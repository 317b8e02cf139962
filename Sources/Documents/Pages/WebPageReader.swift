package import Domain

/// Reads what web servers send: HTML through a parser, other text as it is (contract A-23, decision D-47).
package struct WebPageReader: PageReader {
    /// Bytes of text that are kept of a page (contract A-26).
    package static let limit = 512_000

    package init() {}

    package func read(_ source: PageSource, until deadline: ContinuousClock.Instant) -> PageText? {
        let isHTML = source.type == "text/html" || source.type == "application/xhtml+xml"
        let isMarkup = isHTML || source.type.hasSuffix("xml")
        let text = PageDecoding.text(source.bytes, declared: source.charset, isMarkup: isMarkup)
        guard isHTML else { return plain(text, source.type) }
        let page = HTMLText(text, url: source.url, limit: Self.limit, until: deadline)
        return PageText(title: page.title, text: page.text, truncated: page.truncated)
    }

    private func plain(_ text: String, _ type: String) -> PageText {
        let bytes = Array(text.utf8)
        let kept = bytes.withUnsafeBufferPointer { HTMLCharacters.kept($0) }
        let (cut, isCut) = UTF8Cut.string(kept, limit: Self.limit)
        return PageText(title: type.contains("markdown") ? Self.heading(cut) : nil, text: cut, truncated: isCut)
    }

    /// The first heading of a Markdown text.
    private static func heading(_ text: String) -> String? {
        let line = text.split(separator: "\n").prefix(200).first { $0.hasPrefix("# ") }
        let words = line?.dropFirst(2).split { $0.isWhitespace }.joined(separator: " ")
        return words.flatMap { $0.isEmpty ? nil : String($0.prefix(300)) }
    }
}
