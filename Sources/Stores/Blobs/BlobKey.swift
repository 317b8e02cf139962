/// The names of stored objects: `attachments/ab/…`, a bucket and 128 random bits in hex, the first two digits as a folder.
package enum BlobKey {
    /// What objects are kept apart by. The strings are stored.
    package enum Bucket: String, Sendable, CaseIterable {
        case attachments, submissions
    }

    /// A key that nobody has and nobody guesses.
    package static func make(_ bucket: Bucket) -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = (0..<4).map { _ in hex(UInt32.random(in: 0 ... .max, using: &generator)) }.joined()
        return "\(bucket.rawValue)/\(digits.prefix(2))/\(digits)"
    }

    /// Whether a text has the form of a key: nothing else ever reaches a file system.
    package static func isKey(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[0].allSatisfy({ $0.isASCII && $0.isLowercase }) else { return false }
        return parts.dropFirst().allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        } && !parts[0].isEmpty
    }

    private static func hex(_ value: UInt32) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }
}
