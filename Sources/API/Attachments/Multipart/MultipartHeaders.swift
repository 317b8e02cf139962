/// What a part of a form says about itself.
struct MultipartHeaders: Sendable, Equatable {
    /// The form field's name.
    let name: String
    /// Present where the part is a file, even an unnamed one.
    let filename: String?

    init(name: String, filename: String?) {
        self.name = name
        self.filename = filename
    }

    /// - Parameter text: header lines, the first one after a line break.
    init(_ text: String) throws(MultipartFault) {
        var disposition: HeaderParameters?
        for line in text.split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":"), line.first?.isWhitespace == false else {
                throw MultipartFault(reason: "a part has a header line that cannot be read")
            }
            guard line[..<colon].lowercased() == "content-disposition" else { continue }
            disposition = HeaderParameters(String(line[line.index(after: colon)...]))
        }
        guard let disposition, disposition.value == "form-data", let name = disposition["name"] else {
            throw MultipartFault(reason: "a part has no Content-Disposition: form-data with a name")
        }
        self.init(name: name, filename: disposition["filename"].map(Self.unescaped) ?? disposition.extended("filename"))
    }

    /// Browsers write quotes and line breaks of a name as `%22`, `%0D`, `%0A` (WHATWG HTML, 4.10.21.8).
    private static func unescaped(_ name: String) -> String {
        name.replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
    }
}

/// A header's value with parameters: `form-data; name="file"; filename="a.pdf"` (RFC 9110, section 5.6.6).
struct HeaderParameters: Sendable, Equatable {
    /// What stands before the first semicolon, in lower case.
    let value: String
    private let parameters: [String: String]

    init(_ text: String) {
        var rest = text[...]
        value = Self.trimmed(Self.upTo([";"], &rest)).lowercased()
        var found: [String: String] = [:]
        while !rest.isEmpty {
            rest.removeFirst()
            let name = Self.trimmed(Self.upTo(["=", ";"], &rest)).lowercased()
            guard rest.first == "=" else { continue }
            rest.removeFirst()
            let value = Self.parameter(&rest)
            if !name.isEmpty, found[name] == nil { found[name] = value }
        }
        parameters = found
    }

    subscript(_ name: String) -> String? { parameters[name] }

    /// `name*=UTF-8''…` (RFC 8187), which RFC 7578 does not want and some clients send all the same.
    func extended(_ name: String) -> String? {
        guard let text = parameters[name + "*"] else { return nil }
        let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
        return Self.percentDecoded(parts[2])
    }

    /// Nil where it is no UTF-8.
    private static func percentDecoded(_ text: Substring) -> String? {
        var rest = text.utf8[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let decoded = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
                bytes.append(decoded)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func parameter(_ rest: inout Substring) -> String {
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        guard rest.first == "\"" else { return trimmed(upTo([";"], &rest)) }
        rest.removeFirst()
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
            // Only these two: some clients send the backslashes of a Windows path as they are.
            if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                value.append(rest.removeFirst())
            } else {
                value.append(character)
            }
        }
        _ = upTo([";"], &rest)
        return value
    }

    private static func upTo(_ ends: Set<Character>, _ rest: inout Substring) -> Substring {
        let taken = rest.prefix { !ends.contains($0) }
        rest = rest[taken.endIndex...]
        return taken
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
