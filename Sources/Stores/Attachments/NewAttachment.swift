package import Domain

/// A file whose bytes are stored, on its way into an engagement.
package struct NewAttachment: Sendable {
    package let engagement: Engagement.ID
    package let tenant: Tenant.ID
    package let label: FileLabel
    package let mimeType: String
    package let category: Attachment.Category
    package let summary: String?
    /// Where it was fetched from; nil for uploads.
    package let sourceURL: String?
    package let uploadedBy: User.ID?
    /// Of the blob, whose row in the catalogue is `uploading`.
    package let storageKey: String
    package let digest: BlobDigest

    package init(
        engagement: Engagement.ID,
        tenant: Tenant.ID,
        label: FileLabel,
        mimeType: String,
        category: Attachment.Category,
        summary: String?,
        sourceURL: String? = nil,
        uploadedBy: User.ID?,
        storageKey: String,
        digest: BlobDigest
    ) {
        self.engagement = engagement
        self.tenant = tenant
        self.label = label
        self.mimeType = mimeType
        self.category = category
        self.summary = summary
        self.sourceURL = sourceURL
        self.uploadedBy = uploadedBy
        self.storageKey = storageKey
        self.digest = digest
    }
}
