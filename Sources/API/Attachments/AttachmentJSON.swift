import Domain

extension Attachment {
    /// Exactly the keys of contract A-2; `sourceUrl` only where it came from a URL.
    var json: JSON {
        var members: [String: JSON] = [
            "id": .string(id.rawValue), "filename": .string(filename), "mimeType": .string(mimeType),
            "sizeBytes": .integer(sizeBytes), "category": .string(category.rawValue), "summary": .optional(summary),
            "uploadedBy": .optional(uploadedBy?.rawValue), "createdAt": .string(createdAt.milliseconds),
        ]
        if let sourceURL { members["sourceUrl"] = .string(sourceURL) }
        return .object(members)
    }
}
