package import Domain

/// What a document cites, held against the passages that its writer was given. Pure.
package struct CitationCheck: Sendable, Hashable {
    /// Labels of given passages that the document cites, each once, sorted.
    package let used: [String]
    /// Citations of files that nobody gave: sorted, each once, at most 50.
    package let unknown: [String]

    /// - Parameters:
    ///   - document: Markdown with citations such as `[report.pdf, p. 3]`.
    ///   - given: labels of the passages that were in the prompt, without brackets.
    package init(_ document: String, given: [String]) {
        let known = Set(given)
        let files = Set(given.map(Self.file))
        var used: Set<String> = []
        var unknown: Set<String> = []
        for span in Self.spans(document) {
            if known.contains(span) || files.contains(span) {
                used.insert(span)
            } else if files.contains(Self.file(span)) || Self.namesFile(span) {
                unknown.insert(span)
            }
        }
        self.used = used.sorted()
        self.unknown = Array(unknown.sorted().prefix(50))
    }

    /// Texts in brackets that are not the words of a link. `[a; b]` are two.
    private static func spans(_ document: String) -> [String] {
        var out: [String] = []
        var rest = document[...]
        while let open = rest.firstIndex(of: "[") {
            rest = rest[rest.index(after: open)...]
            guard let end = rest.firstIndex(where: { $0 == "]" || $0 == "[" || $0.isNewline }) else { break }
            let inside = rest[..<end]
            let closes = rest[end] == "]"
            if closes || rest[end].isNewline { rest = rest[rest.index(after: end)...] } else { rest = rest[end...] }
            guard closes, rest.first != "(" else { continue }
            out += inside.split(separator: ";").map { $0.split(separator: " ").joined(separator: " ") }
        }
        return out
    }

    /// A file's name may itself hold commas: the known extension ends it.
    private static func file(_ label: String) -> String {
        guard let end = extensionEnd(label) else {
            return label.firstIndex(of: ",").map { String(label[..<$0]) } ?? label
        }
        return String(label[..<end])
    }

    private static func namesFile(_ span: String) -> Bool { extensionEnd(span) != nil }

    /// Where the first known extension ends, at the end of the text or before a comma.
    private static func extensionEnd(_ label: String) -> String.Index? {
        for dot in label.indices where label[dot] == "." {
            let start = label.index(after: dot)
            let end = label[start...].firstIndex { !($0.isASCII && ($0.isLetter || $0.isNumber)) } ?? label.endIndex
            guard end == label.endIndex || label[end] == "," else { continue }
            if extensions.contains(label[start..<end].lowercased()) { return end }
        }
        return nil
    }

    /// Of the files that may be uploaded (contract A-6).
    private static let extensions: Set<String> = [
        "pdf", "docx", "xlsx", "pptx", "doc", "xls", "ppt", "odt", "ods", "odp", "rtf", "csv", "txt", "md", "json",
        "yaml", "yml", "html", "htm", "png", "jpg", "jpeg", "svg", "zip",
    ]
}

extension CitationCheck {
    /// As the ledger keeps it and the run report shows it.
    package var json: JSON {
        ["used": .array(used.map(JSON.string)), "unknown": .array(unknown.map(JSON.string))]
    }

    /// Nil where it is not what ``json`` wrote.
    package init?(json: JSON) {
        guard let used = json["used"]?.arrayValue, let unknown = json["unknown"]?.arrayValue else { return nil }
        self.used = used.compactMap(\.stringValue)
        self.unknown = unknown.compactMap(\.stringValue)
    }
}
