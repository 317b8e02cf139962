package import Domain
package import Logging

/// Text out of every type that may be uploaded (decision O-8); docs/extraction.md has the table.
///
/// Three steps: ``Inspection`` looks at the bytes and refuses what is not what it seems, a reader of the type's family makes
/// records or text of it (foreign programs behind ``ToolWalls``), and ``BlockCollector`` cleans, counts and cuts.
package struct FileTextExtractor: TextExtractor {
    private let box: ToolBox

    /// - Parameters:
    ///   - logger: hears what tools complained of, at debug level.
    ///   - searchPath: folders parted by colons, where the programs are looked for.
    ///   - seconds: that one tool may take for one file, by the clock and of CPU.
    ///   - requiresWalls: read with no foreign program where ``ToolWalls/standing()`` is not `full`.
    package init(
        logger: Logger,
        searchPath: String = "/usr/bin:/bin:/usr/local/bin",
        seconds: Int = 15,
        requiresWalls: Bool = false
    ) {
        box = ToolBox(searchPath: searchPath, seconds: seconds, requiresWalls: requiresWalls, logger: logger)
    }

    @concurrent
    package func text(of path: String, filename: String) async throws -> ExtractedText {
        guard let kind = FileKind(filename: filename) else { return ExtractedText(status: .binary) }
        guard let file = LocalFile(path) else {
            throw ExtractionFault("The file to read is not there, or is no regular file: \(path).")
        }
        if let settled = Inspection.verdict(on: file, as: kind) { return ExtractedText(status: settled) }
        switch kind {
        case .csv, .txt, .md, .json, .yaml: return Self.plain(file, kind)
        case .html: return try await html(file)
        default: return try await foreign(kind, path)
        }
    }

    private static func plain(_ file: LocalFile, _ kind: FileKind) -> ExtractedText {
        guard let whole = CharacterDecoding.utf8(file.bytes(at: 0, count: PlainText.sizeLimit)) else {
            return ExtractedText(status: .broken)
        }
        let text = BlockCollector.beginning(of: whole)
        var collector = BlockCollector()
        switch kind {
        case .csv: DelimitedText.read(text, into: &collector)
        case .md: MarkdownText.read(text, into: &collector)
        case .json, .yaml: PlainText.listing(text, into: &collector)
        default: PlainText.paragraphs(text, into: &collector)
        }
        if file.size > PlainText.sizeLimit || text.count < whole.count { collector.cut() }
        return collector.result()
    }

    /// pandoc reads UTF-8 only, so the page is decoded first.
    private func html(_ file: LocalFile) async throws -> ExtractedText {
        let raw = file.bytes(at: 0, count: PlainText.sizeLimit)
        guard let text = CharacterDecoding.utf8(raw, declared: HTMLCharset.declared(in: raw)) else {
            return ExtractedText(status: .broken)
        }
        return try await inFolder { folder in
            try folder.write(text, as: "input.html")
            return try await box.readWithPandoc(.html, folder, isCut: file.size > PlainText.sizeLimit)
        }
    }

    private func foreign(_ kind: FileKind, _ path: String) async throws -> ExtractedText {
        try await inFolder { folder in
            try folder.copy(path, as: "input.\(kind.rawValue)")
            return switch kind {
            case .pdf: try await box.readPDF(folder)
            case .xlsx: try await box.readWorkbook(folder)
            case .pptx, .odp, .ods, .svg: try await box.readWithScript(kind, folder)
            case .doc, .xls, .ppt: try await box.readLegacy(kind, folder)
            default: try await box.readWithPandoc(kind, folder)
            }
        }
    }

    private func inFolder(_ body: (WorkFolder) async throws -> ExtractedText) async throws -> ExtractedText {
        let folder = try WorkFolder()
        defer { folder.remove(box.logger) }
        return try await body(folder)
    }
}
