import Domain
import Stores

/// Fields that several account routes read.
enum AccountFields {
    /// An address that mail can go to: see ``MailAddress``; nil for anything else.
    static func email(_ value: JSON?) -> String? {
        value?.stringValue.flatMap { MailAddress($0) }?.text
    }

    /// The same rule for programs that read the OpenAPI document; the length is beside it.
    static let emailPattern = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$"

    /// One to 300 characters that are not all blank; nil for anything else.
    static func name(_ value: JSON?) -> String? {
        guard let text = value?.stringValue, text.count <= 300, text.contains(where: { !$0.isWhitespace }) else {
            return nil
        }
        return text
    }

    /// The same; nil where there is none, or null.
    ///
    /// - Throws: 400 where it is anything else.
    static func optionalName(_ value: JSON?) throws -> String? {
        guard let value, value != .null else { return nil }
        guard let name = name(value) else { throw APIError.invalid("name must be a text of 1 to 300 characters") }
        return name
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
