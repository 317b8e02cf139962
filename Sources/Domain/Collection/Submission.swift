/// A recording that a contributor handed in for a task.
package struct Submission: Sendable {
    package typealias ID = Domain.ID<Submission>

    /// `pending` → `approved` or `rejected`, once (contract T-29). The strings are stored.
    package enum Status: String, Sendable, CaseIterable {
        case pending, approved, rejected
    }

    package let id: ID
    package let tenant: Tenant.ID
    package let task: CollectionTask.ID
    package let contributor: User.ID
    package let mediaKey: String
    package let durationSeconds: Int
    package let byteSize: Int
    package let status: Status
    package let reviewNote: String?
    package let reviewedAt: Timestamp?
    package let createdAt: Timestamp

    package init(
        id: ID,
        tenant: Tenant.ID,
        task: CollectionTask.ID,
        contributor: User.ID,
        mediaKey: String,
        durationSeconds: Int,
        byteSize: Int,
        status: Status,
        reviewNote: String?,
        reviewedAt: Timestamp?,
        createdAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.task = task
        self.contributor = contributor
        self.mediaKey = mediaKey
        self.durationSeconds = durationSeconds
        self.byteSize = byteSize
        self.status = status
        self.reviewNote = reviewNote
        self.reviewedAt = reviewedAt
        self.createdAt = createdAt
    }

    /// A new identifier: `sub_` and a ULID.
    package static func newID() -> ID { ID("sub_" + ULID.make()) }
}

extension Submission {
    /// What a contributor may hand in (decision D-79).
    package enum Limits {
        /// 500 MiB.
        package static let byteSize = 1...500 << 20
        /// A day at most.
        package static let durationSeconds = 1...86_400
        /// Code points of a reviewer's note.
        package static let note = 0...2000
        /// Seconds for which an upload may be made.
        package static let uploadSeconds = 900
    }
}
