/// An e-mail address that can stand in a header and in an envelope as it is (RFC 5322 3.4.1, addr-spec without quotes,
/// comments and address literals; ASCII only).
package struct MailAddress: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// The part behind the `@`.
    package let domain: String

    package var description: String { text }

    /// - Parameter text: at most 254 bytes (RFC 5321 4.5.3.1).
    /// - Returns: nil for anything that is no such address.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
            parts[0].utf8.allSatisfy(Self.isAtom), parts[1].utf8.allSatisfy(Self.isName)
        else { return nil }
        self.text = text
        domain = String(parts[1])
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private static let marks = Set("!#$%&'*+/=?^_`{|}~".utf8)

    private static func isAtom(_ byte: UInt8) -> Bool { isName(byte) || marks.contains(byte) }
}
