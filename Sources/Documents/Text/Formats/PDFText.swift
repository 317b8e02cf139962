import Domain

extension ToolBox {
    /// pdftotext in reading order, which also follows columns; the pages are parted by form feeds.
    func readPDF(_ folder: WorkFolder) async throws -> ExtractedText {
        let report = try await run(.pdftotext, ["-enc", "UTF-8", "-eol", "unix", "input.pdf", "-"], in: folder)
        if let status = Self.pdfStatus(report) { return ExtractedText(status: status) }
        var collector = BlockCollector()
        for (number, page) in Pieces(report.output[...], by: 0x0C).enumerated() {
            PlainText.paragraphs(page, page: number + 1, into: &collector)
        }
        if report.isCut { collector.cut() }
        // No text and complaints: what was damaged may have been the text.
        return collector.result(empty: report.message.contains("Error") ? .broken : .empty)
    }

    private static func pdfStatus(_ report: ToolReport) -> TextStatus? {
        let locked = ["Incorrect password", "security handler", "Copying of text"]
        switch report.end {
        case .done: return nil
        case .tooLarge: return .tooLarge
        case .failed: return locked.contains { report.message.contains($0) } ? .encrypted : .broken
        }
    }
}
