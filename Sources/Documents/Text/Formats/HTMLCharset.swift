/// The character set that a page declares for itself (HTML Standard 13.2.3.2, in short).
enum HTMLCharset {
    /// - Returns: the word behind the first `charset=` of the first KiB.
    static func declared(in raw: [UInt8]) -> String? {
        let head = String(decoding: raw.prefix(1024), as: UTF8.self).lowercased()
        guard let found = head.firstRange(of: "charset=") else { return nil }
        let rest = head[found.upperBound...].drop { $0 == "\"" || $0 == "'" || $0 == " " }
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
        return name.isEmpty ? nil : String(name)
    }
}
