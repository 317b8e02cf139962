/// An absolute http or https URL, taken apart strictly: what two readers could understand in two ways is refused.
///
/// Much stricter than RFC 3986 and the WHATWG URL standard, since requests are rebuilt from these parts: no control
/// characters, spaces or backslashes anywhere, no credentials, nothing but ASCII in the host.
package struct URLParts: Sendable, Equatable {
    /// `http` or `https`.
    package let scheme: String
    /// In lower case; a name without its final dot, or an address without brackets.
    package let host: String
    /// Nil where none was written.
    package let port: Int?
    /// Path and query as they are sent: begins with `/`, percent-encoded.
    package let target: String
    /// Without its `#`; nil where there is none.
    package let fragment: String?

    /// Why a text is no URL that is used.
    package enum Fault: Error, Equatable {
        case syntax
        case scheme
        case credentials
        /// The host is neither a plain name nor a plain address.
        case host
        case port
    }

    /// - Parameter text: at most 2048 bytes.
    package init(_ text: String) throws(Fault) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x5C }) else {
            throw .syntax
        }
        guard let colon = text.utf8.firstIndex(of: 0x3A) else { throw .syntax }
        let scheme = text[..<colon].lowercased()
        guard Self.isScheme(scheme) else { throw .syntax }
        guard scheme == "http" || scheme == "https" else { throw .scheme }
        let rest = text[text.utf8.index(after: colon)...]
        guard rest.hasPrefix("//") else { throw .syntax }
        let end = rest.dropFirst(2).firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let (host, port) = try Self.authority(rest.dropFirst(2)[..<end])
        let parts = rest[end...].split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let written = parts.first.map(String.init) ?? ""
        self.scheme = scheme
        self.host = host
        self.port = port
        target = Self.encoded(written.hasPrefix("/") ? written : "/" + written)
        fragment = parts.count > 1 ? String(parts[1]) : nil
    }

    /// The port that is connected to.
    package var effectivePort: Int { port ?? (scheme == "https" ? 443 : 80) }

    /// The whole URL from its parts, without the fragment: what is asked for, and the same to every reader.
    package var canonical: String {
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(bracketed)\(port.map { ":\($0)" } ?? "")\(target)"
    }

    /// Where a `Location` leads from here (RFC 3986, section 5.2).
    package func resolving(_ reference: String) throws(Fault) -> URLParts {
        let origin = String(canonical.dropLast(target.utf8.count))
        if reference.hasPrefix("//") { return try URLParts("\(scheme):\(reference)") }
        if reference.hasPrefix("/") { return try URLParts(origin + reference) }
        if let colon = reference.firstIndex(where: { ":/?#".contains($0) }), reference[colon] == ":" {
            return try URLParts(reference)
        }
        let path = String(target.prefix { $0 != "?" })
        if reference.hasPrefix("?") { return try URLParts(origin + path + reference) }
        if reference.isEmpty || reference.hasPrefix("#") { return try URLParts(origin + target + reference) }
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return try URLParts(origin + Self.withoutDots(Substring(folder + reference)))
    }

    // MARK: Authority

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, (97...122).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
        }
    }

    private static func authority(_ text: Substring) throws(Fault) -> (host: String, port: Int?) {
        guard !text.contains("@") else { throw .credentials }
        guard !text.isEmpty else { throw .syntax }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw .host }
        guard text.hasPrefix("[") else { return try named(text) }
        guard let close = text.firstIndex(of: "]") else { throw .syntax }
        let inside = text[text.index(after: text.startIndex)..<close].lowercased()
        // No zone: it would pick one of our interfaces.
        guard inside.contains(":"), NetworkAddress(inside) != nil else { throw .host }
        return (inside, try port(text[text.index(after: close)...]))
    }

    private static func named(_ text: Substring) throws(Fault) -> (host: String, port: Int?) {
        let end = text.firstIndex(of: ":") ?? text.endIndex
        var host = text[..<end].lowercased()
        if host.hasSuffix(".") { host.removeLast() }
        let port = try port(text[end...])
        guard NetworkAddress(host) == nil else { return (host, port) }
        guard isName(host) else { throw .host }
        return (host, port)
    }

    private static func port(_ text: Substring) throws(Fault) -> Int? {
        guard !text.isEmpty else { return nil }
        let digits = text.dropFirst()
        guard text.hasPrefix(":") else { throw .syntax }
        guard !digits.isEmpty else { return nil }
        guard digits.utf8.count <= 5, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { throw .port }
        return port
    }

    /// Letters, digits, `-` and `_` in labels of at most 63. A last label that begins with a digit is none: a resolver
    /// takes `127.1`, `0x7f.1` and `2130706433` for addresses.
    private static func isName(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, let first = labels.last?.utf8.first, !(48...57).contains(first) else {
            return false
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy { isNamePart($0) }
        }
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (48...57).contains(byte) || byte == 0x2D || byte == 0x5F
    }

    // MARK: Path

    /// Everything that is no plain URL character is percent-encoded; what is encoded already stays.
    private static func encoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let isEscape = byte == 0x25 && index + 2 < bytes.count && isHex(bytes[index + 1]) && isHex(bytes[index + 2])
            if isEscape || isPlain(byte) { out.append(byte) } else { out += [0x25] + hex(byte) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static let marks = Set("-._~!$&'()*+,;=:@/?".utf8)

    private static func isPlain(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || marks.contains(byte)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    private static func hex(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// Takes `.` and `..` out of a path (RFC 3986, 5.2.4); a query and a fragment stay as they are.
    private static func withoutDots(_ reference: Substring) -> String {
        let end = reference.firstIndex { "?#".contains($0) } ?? reference.endIndex
        var kept: [Substring] = []
        let segments = reference[..<end].split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment == ".." {
                if kept.count > 1 { kept.removeLast() }
            } else if segment != "." {
                kept.append(segment)
            }
            if isLast, segment == "." || segment == ".." { kept.append("") }
        }
        return kept.joined(separator: "/") + reference[end...]
    }
}
