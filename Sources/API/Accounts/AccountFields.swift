import Domain
import Stores

/// Fields that several account routes read.
enum AccountFields {
    /// Something with one `@` and no blanks, at most 254 bytes (RFC 5321 4.5.3.1); nil for anything else.
    static func email(_ value: JSON?) -> String? {
        guard let text = value?.stringValue, text.utf8.count <= 254, !text.contains(where: \.isWhitespace) else {
            return nil
        }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty ? text : nil
    }

    /// One to 300 characters that are not all blank; nil for anything else.
    static func name(_ value: JSON?) -> String? {
        guard let text = value?.stringValue, text.count <= 300, text.contains(where: { !$0.isWhitespace }) else {
            return nil
        }
        return text
    }

    /// - Throws: 400 where it is too short or too long.
    static func newPassword(_ value: JSON?, _ field: String) throws -> String {
        guard let text = value?.stringValue, text.count >= PasswordHasher.minimumLength,
            text.utf8.count <= PasswordHasher.maximumBytes
        else {
            throw APIError.invalid(
                "\(field) must have at least \(PasswordHasher.minimumLength) characters and at most "
                    + "\(PasswordHasher.maximumBytes) bytes"
            )
        }
        return text
    }
}
