/// Bytes of a page as text: which character set they are in, and what they say in it.
///
/// Asked in the order of the WHATWG Encoding and HTML standards: the byte order mark, the server, the page itself, and
/// then the bytes.
package enum PageDecoding {
    /// Whatever the bytes are, this gives a text: what means nothing in the character set becomes U+FFFD.
    ///
    /// - Parameters:
    ///   - declared: the character set that the server named.
    ///   - isMarkup: HTML and XML name their character set within.
    package static func text(_ bytes: [UInt8], declared: String?, isMarkup: Bool) -> String {
        if let (set, mark) = byMark(bytes) { return set.decode(bytes[mark...]) }
        if let named = declared.flatMap(CharacterSet.init(label:)) { return named.decode(bytes[...]) }
        if isMarkup, let named = CharsetHint.find(in: bytes).flatMap(CharacterSet.init(label:)) {
            // A page that can be read this far is not in UTF-16, whatever it says.
            return (named.isWide ? .utf8 : named).decode(bytes[...])
        }
        return CharsetGuess.best(for: bytes).decode(bytes[...])
    }

    private static func byMark(_ bytes: [UInt8]) -> (CharacterSet, length: Int)? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if bytes.starts(with: [0xFF, 0xFE]) { return (.utf16(isLittle: true), 2) }
        if bytes.starts(with: [0xFE, 0xFF]) { return (.utf16(isLittle: false), 2) }
        return nil
    }
}

/// The name of a character set within a page.
enum CharsetHint {
    /// Bytes at the beginning in which it must stand.
    private static let reach = 4096

    /// - Returns: what `<meta charset=…>`, `<meta … content="…; charset=…">` or `<?xml … encoding="…"?>` says.
    static func find(in bytes: [UInt8]) -> String? {
        let head = String(decoding: bytes.prefix(reach).filter { $0 < 0x80 && $0 != 0 }, as: UTF8.self).lowercased()
        if head.hasPrefix("<?xml"), let end = head.range(of: "?>"), let name = value(of: "encoding", in: head[..<end]) {
            return name
        }
        var rest = head[...]
        while let start = rest.range(of: "<meta") {
            rest = rest[start...].dropFirst(5)
            let tag = rest.prefix { $0 != ">" }
            if let name = value(of: "charset", in: tag) { return name }
        }
        return nil
    }

    private static func value(of name: String, in text: Substring) -> String? {
        guard let start = text.range(of: name) else { return nil }
        let rest = text[start...].dropFirst(name.count).drop { $0.isWhitespace }
        guard rest.first == "=" else { return nil }
        let value = rest.dropFirst().drop { $0.isWhitespace || $0 == "\"" || $0 == "'" }
        let label = value.prefix { $0.isLetter || $0.isNumber || "-_:.".contains($0) }
        return label.isEmpty ? nil : String(label)
    }
}

extension StringProtocol {
    /// Where the first occurrence begins.
    fileprivate func range(of text: String) -> Index? {
        let wanted = Array(text.utf8)
        guard let first = wanted.first else { return nil }
        var at = startIndex
        while let found = utf8[at...].firstIndex(of: first) {
            if utf8[found...].starts(with: wanted) { return found }
            at = utf8.index(after: found)
        }
        return nil
    }
}
