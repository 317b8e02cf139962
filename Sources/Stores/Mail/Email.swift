package import Domain
import PostgresClient

/// A mail as it was written, and what came of it.
package struct Email: Sendable {
    package typealias ID = Domain.ID<Email>

    package enum Status: String, Sendable, PostgresEncodable, PostgresDecodable {
        /// There was no mailer when it was written, so it stays where it is.
        case unsent
        case pending, sent, failed
    }

    package let id: ID
    package let tenant: Tenant.ID
    package let template: String
    package let recipient: String
    package let data: JSON
    package let status: Status
    /// Tries so far.
    package let attempts: Int
    package let lastError: String?
    package let createdAt: Timestamp
    package let sentAt: Timestamp?
}
