import Domain

extension ToolBox {
    /// docx, odt, rtf and html by pandoc, with blocks.lua as its filter. `--sandbox` keeps its readers off files and the
    /// network even where no other wall stands.
    ///
    /// - Parameter isCut: the file in the folder is only the beginning.
    func readWithPandoc(_ kind: FileKind, _ folder: WorkFolder, isCut: Bool = false) async throws -> ExtractedText {
        try folder.write(PackageResources.blocks_lua, as: "blocks.lua")
        let limits = ["+RTS", "-M400m", "-K64m", "-RTS", "--sandbox"]
        let how = ["--from", kind.rawValue, "--to", "plain", "--lua-filter", "blocks.lua", "input.\(kind.rawValue)"]
        let report = try await run(.pandoc, limits + how, in: folder)
        switch report.end {
        case .done: return Self.records(report, isCut: isCut)
        case .tooLarge: return ExtractedText(status: .tooLarge)
        // Only the manifest of an OpenDocument says that it has a password; and pandoc wants parts that not all have.
        case .failed where kind == .odt: return try await readWithScript(.odt, folder)
        case .failed: return ExtractedText(status: .broken)
        }
    }

    static func records(_ report: ToolReport, isCut: Bool = false) -> ExtractedText {
        var collector = BlockCollector()
        Records.read(report.output, into: &collector)
        if report.isCut || isCut { collector.cut() }
        return collector.result()
    }
}
