import Domain

/// Exit codes of office.py.
enum ScriptEnd {
    static let locked = 4
    static let tooLarge = 6
}

extension ToolBox {
    /// pptx, odp, ods and svg, for which Debian has no tool, by office.py; and an odt that pandoc refuses.
    func readWithScript(_ kind: FileKind, _ folder: WorkFolder) async throws -> ExtractedText {
        try folder.write(PackageResources.office_py, as: "office.py")
        let how = ["-I", "-S", "office.py", kind.rawValue, "input.\(kind.rawValue)"]
        let report = try await run(.python3, how, in: folder)
        return switch report.end {
        case .done: Self.records(report)
        case .tooLarge, .failed(ScriptEnd.tooLarge): ExtractedText(status: .tooLarge)
        case .failed(ScriptEnd.locked): ExtractedText(status: .encrypted)
        case .failed: ExtractedText(status: .broken)
        }
    }
}
