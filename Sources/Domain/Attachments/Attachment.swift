/// A file of an engagement. The bytes lie in the blob store under ``storageKey``; everything else is a row.
package struct Attachment: Sendable, Equatable {
    package typealias ID = Domain.ID<Attachment>

    /// What a file is for. The strings are stored and shown.
    package enum Category: String, Sendable, CaseIterable {
        case reference, styleguide
        case designInspiration = "design_inspiration"
        case data
        case brandAssets = "brand_assets"
    }

    package let id: ID
    package let engagement: Engagement.ID
    /// A label, unique in the engagement.
    package let filename: String
    package let mimeType: String
    package let sizeBytes: Int
    /// 32 bytes.
    package let sha256: [UInt8]
    package let storageKey: String
    package let category: Category
    package let summary: String?
    /// Where it was fetched from, as the caller gave it; nil for uploads.
    package let sourceURL: String?
    package let uploadedBy: User.ID?
    package let createdAt: Timestamp

    package init(
        id: ID,
        engagement: Engagement.ID,
        filename: String,
        mimeType: String,
        sizeBytes: Int,
        sha256: [UInt8],
        storageKey: String,
        category: Category,
        summary: String?,
        sourceURL: String?,
        uploadedBy: User.ID?,
        createdAt: Timestamp
    ) {
        self.id = id
        self.engagement = engagement
        self.filename = filename
        self.mimeType = mimeType
        self.sizeBytes = sizeBytes
        self.sha256 = sha256
        self.storageKey = storageKey
        self.category = category
        self.summary = summary
        self.sourceURL = sourceURL
        self.uploadedBy = uploadedBy
        self.createdAt = createdAt
    }
}
