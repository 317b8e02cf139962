/// Reads the text out of a file that a caller has uploaded.
package protocol TextExtractor: Sendable {
    /// Never trusts the file: a broken, encrypted or hostile one gives its ``TextStatus`` and hurts nobody.
    ///
    /// - Parameters:
    ///   - path: of a local file, which is only read.
    ///   - filename: the label; its extension says what the file should be.
    /// - Throws: `CancellationError`, or ``ExtractionFault`` where this machine cannot read the type at all.
    func text(of path: String, filename: String) async throws -> ExtractedText
}

/// Why nothing was tried: which program is missing. A text for an operator.
package struct ExtractionFault: Error, CustomStringConvertible, Equatable {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// What became of a file's text. The strings are shown in the manifest as `textStatus`.
package enum TextStatus: String, Sendable, CaseIterable {
    /// It has text, and all of it up to the limit was read.
    case indexed
    /// It is of a type without text: images, archives.
    case binary
    /// It was read and holds no text, a scan for instance.
    case empty
    /// It wants a password.
    case encrypted
    /// It is not what its name says, or damaged.
    case broken
    /// It was too much for the limits on time, memory or output.
    case tooLarge = "too_large"
}

/// A file's text as the places it can be quoted from.
package struct ExtractedText: Sendable, Equatable {
    package let status: TextStatus
    /// In reading order; empty unless ``status`` is `indexed`.
    package let blocks: [TextBlock]
    /// The text was longer than the limit, and its end is missing.
    package let truncated: Bool

    package init(status: TextStatus, blocks: [TextBlock] = [], truncated: Bool = false) {
        self.status = status
        self.blocks = blocks
        self.truncated = truncated
    }
}

/// A paragraph, a heading, a table or a listing of a document.
package struct TextBlock: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// 1 to 6.
        case heading(Int)
        case paragraph
        /// Rows by line, cells between ` | `; the first row is the header where there is one.
        case table
        case code
    }

    package let kind: Kind
    package let text: String
    /// 1-based, where the source has pages or slides.
    package let page: Int?
    /// The sheet's name, where the source has sheets.
    package let sheet: String?

    package init(_ kind: Kind, _ text: String, page: Int? = nil, sheet: String? = nil) {
        self.kind = kind
        self.text = text
        self.page = page
        self.sheet = sheet
    }
}
