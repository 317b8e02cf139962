import Domain

extension ToolBox {
    /// xlsx by xlsx2csv, which sheets.py runs and repairs: values as a sheet shows them, every sheet of the book.
    func readWorkbook(_ folder: WorkFolder) async throws -> ExtractedText {
        let program = try find(.xlsx2csv)
        try folder.write(PackageResources.sheets_py, as: "sheets.py")
        let how = ["-I", "-S", "-W", "ignore", "sheets.py", program, "\(Self.mark.value)", "input.xlsx"]
        let report = try await run(.python3, how, in: folder)
        switch report.end {
        case .done: break
        case .tooLarge: return ExtractedText(status: .tooLarge)
        case .failed: return ExtractedText(status: .broken)
        }
        var collector = BlockCollector()
        Self.sheets(report.output, into: &collector)
        if report.isCut { collector.cut() }
        return collector.result()
    }

    /// No cell can hold it: XML forbids this character.
    private static let mark: Unicode.Scalar = "\u{1E}"

    /// A line of the mark, a number, a dash and the sheet's name begins each sheet.
    private static func sheets(_ output: [UInt8], into collector: inout BlockCollector) {
        var rows = DelimitedRows(output[...])
        var table = TableCollector(Place())
        while !collector.isFull, let row = rows.next() {
            if let first = row.first, first.unicodeScalars.first == Self.mark {
                table.finish(&collector)
                let words = row.joined(separator: ",").split(
                    separator: " ",
                    maxSplits: 3,
                    omittingEmptySubsequences: false
                )
                table = TableCollector(Place(sheet: words.count == 4 ? CleanText.line(String(words[3])) : nil))
            } else {
                table.add(row, to: &collector)
            }
        }
        table.finish(&collector)
    }
}
