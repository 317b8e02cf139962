import Domain

/// What comes with an uploaded file; it may stand before the file or after it (contract A-4).
struct UploadFields: Sendable {
    private(set) var category = Attachment.Category.reference
    private(set) var summary: String?

    /// Characters of a summary.
    private static let summaryLimit = 2000

    /// Reads the present part where it is one of ours; any other is left.
    ///
    /// - Throws: 400
    mutating func read(_ name: String, from reader: MultipartReader) async throws {
        switch name {
        case "category":
            let text = try await reader.text(upTo: 256) ?? "too long"
            guard let known = text.isEmpty ? .reference : Attachment.Category(rawValue: text) else {
                throw APIError.invalid("Invalid category")
            }
            category = known
        case "summary":
            // A character has four bytes at most, and those that make one visible sign are counted one by one.
            let text = try await reader.text(upTo: Self.summaryLimit * 4)
            guard let text, text.unicodeScalars.count <= Self.summaryLimit else {
                throw APIError.invalid("summary must have at most \(Self.summaryLimit) characters")
            }
            guard !text.utf8.contains(0) else { throw APIError.invalid("summary must not hold the character U+0000") }
            summary = text.isEmpty ? nil : text
        default: break
        }
    }

    /// The rest of the form, behind the file.
    ///
    /// - Throws: 400 where there is a second file.
    mutating func readRest(from reader: MultipartReader) async throws {
        while let part = try await reader.nextPart() {
            guard part.name != "file" else { throw APIError.invalid("Only one file may be uploaded at a time") }
            try await read(part.name, from: reader)
        }
    }
}
