/// What the bytes of a file are, as far as its beginning tells.
package enum FileContent: Sendable, Equatable {
    case pdf, png, jpeg, gif, rtf
    /// A zip archive, and what is packed as one.
    case zip
    /// Microsoft's compound file: doc, xls, ppt.
    case compound
    case program
    case text
    /// Nothing that is known here.
    case binary

    /// Bytes of the beginning that are looked at.
    package static let headLength = 1024

    /// - Parameter head: the first ``headLength`` bytes, or all where the file has fewer.
    package init(head: [UInt8]) {
        self = Self.signatures.first { head.starts(with: $0.bytes) }?.content ?? Self.unsigned(head)
    }

    /// In words, for a caller who sent something else.
    package var words: String {
        switch self {
        case .pdf: "a PDF document"
        case .png: "a PNG image"
        case .jpeg: "a JPEG image"
        case .gif: "a GIF image"
        case .rtf: "an RTF document"
        case .zip: "a zip archive"
        case .compound: "an old Office document"
        case .program: "a program"
        case .text: "text"
        case .binary: "binary data of another kind"
        }
    }

    private static let signatures: [(bytes: [UInt8], content: FileContent)] = [
        (Array("%PDF-".utf8), .pdf),
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png),
        ([0xFF, 0xD8, 0xFF], .jpeg),
        (Array("GIF8".utf8), .gif),
        (Array(#"{\rtf"#.utf8), .rtf),
        // The first entry of an archive, and the end of one without any.
        ([0x50, 0x4B, 0x03, 0x04], .zip),
        ([0x50, 0x4B, 0x05, 0x06], .zip),
        ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], .compound),
        ([0x7F, 0x45, 0x4C, 0x46], .program),
    ]

    private static func unsigned(_ head: [UInt8]) -> FileContent {
        // UTF-16 and UTF-32 have zero bytes, and say who they are by a byte order mark.
        if [[0xFE, 0xFF], [0xFF, 0xFE]].contains(Array(head.prefix(2))) { return .text }
        if !head.contains(0) { return .text }
        // A PDF may begin a little later (ISO 32000-1, annex H.3.4.1).
        return contains("%PDF-", in: head) ? .pdf : .binary
    }

    static func contains(_ text: String, in bytes: [UInt8]) -> Bool {
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains { start in
            bytes[start] == wanted[0] && bytes[start..<start + wanted.count].elementsEqual(wanted)
        }
    }
}

extension FileType {
    /// Whether a file's content can be what its extension says.
    ///
    /// - Parameters:
    ///   - head: its first ``FileContent/headLength`` bytes.
    ///   - tail: its last ``tailLength`` bytes; an Office file names its parts there.
    /// - Returns: what it is instead, in words; nil where they agree.
    package func mismatch(head: [UInt8], tail: [UInt8]) -> String? {
        let content = FileContent(head: head)
        switch self {
        case .pdf: return content == .pdf || FileContent.contains("%PDF-", in: head) ? nil : content.words
        case .png: return content == .png ? nil : content.words
        case .jpg, .jpeg: return content == .jpeg ? nil : content.words
        case .rtf: return content == .rtf ? nil : content.words
        // Word writes RTF under this name too.
        case .doc: return content == .compound || content == .rtf ? nil : content.words
        case .xls, .ppt: return content == .compound ? nil : content.words
        case .odt, .ods, .odp, .zip: return content == .zip ? nil : content.words
        case .docx, .xlsx, .pptx:
            guard content == .zip else { return content.words }
            return [head, tail].contains { FileContent.contains("[Content_Types].xml", in: $0) } ? nil : content.words
        case .svg:
            guard content == .text else { return content.words }
            return Self.beginsWithMarkup(head) ? nil : content.words
        case .csv, .txt, .md, .json, .yaml, .yml, .html, .htm: return content == .text ? nil : content.words
        }
    }

    /// Bytes of the end that ``mismatch(head:tail:)`` wants; 0 where it looks at none.
    package var tailLength: Int {
        switch self {
        case .docx, .xlsx, .pptx: 65_536
        default: 0
        }
    }

    private static func beginsWithMarkup(_ head: [UInt8]) -> Bool {
        let text = head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head[...]
        if [0xFE, 0xFF].contains(text.first) { return true }
        return text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "<")
    }
}
