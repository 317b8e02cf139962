/// Makes a provider's words fit for logs and error texts: no keys, no control characters, not too long.
struct Redaction: Sendable {
    private let secret: String?

    /// - Parameter secret: the API key, nil or empty where there is none.
    init(secret: String?) {
        // A very short "key" is a placeholder such as "x": striking it out would garble every word.
        self.secret = secret.flatMap { $0.utf8.count >= 6 ? $0 : nil }
    }

    func clean(_ words: String) -> String {
        var words = words
        if let secret { words = words.replacing(secret, with: "[key]") }
        let line = words.split { $0.isWhitespace || $0.isNewline }.map(Self.withoutKey).joined(separator: " ")
        let plain = line.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        let cut = String(String.UnicodeScalarView(plain.prefix(300)))
        return plain.count > 300 ? cut + "…" : cut
    }

    /// Providers quote keys back, whole or in part: whatever looks like one goes.
    private static func withoutKey(_ word: Substring) -> String {
        guard let range = word.firstRange(of: "sk-") else { return String(word) }
        let rest = word[range.upperBound...]
        let key = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == "*") }
        guard key.count >= 6 else { return String(word) }
        return word[..<range.lowerBound] + "[key]" + rest.dropFirst(key.count)
    }
}
