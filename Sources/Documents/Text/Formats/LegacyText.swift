import Domain

extension ToolBox {
    /// Word, Excel and PowerPoint of 97 to 2003, by catdoc and its kin.
    func readLegacy(_ kind: FileKind, _ folder: WorkFolder) async throws -> ExtractedText {
        let file = "input.\(kind.rawValue)"
        // What 8-bit text in a file of Office means, unless the file says otherwise.
        let charsets = ["-s", "cp1252", "-d", "utf-8"]
        let report =
            switch kind {
            case .doc: try await run(.catdoc, charsets + ["-w", file], in: folder)
            case .xls: try await run(.xls2csv, charsets + ["-q", "3", "-b", "\u{0C}", file], in: folder)
            default: try await run(.catppt, charsets + ["-b", "\u{0C}", file], in: folder)
            }
        switch report.end {
        case .done: break
        case .tooLarge: return ExtractedText(status: .tooLarge)
        case .failed: return ExtractedText(status: .broken)
        }
        var collector = BlockCollector()
        switch kind {
        case .doc: Self.lines(report.output[...], into: &collector)
        case .xls: Self.sheets(report.output, named: Self.names(folder, file), into: &collector)
        default: Self.slides(report.output, into: &collector)
        }
        if report.isCut { collector.cut() }
        return collector.result()
    }

    /// catdoc prints a paragraph as one line.
    private static func lines(_ text: ArraySlice<UInt8>, page: Int? = nil, into collector: inout BlockCollector) {
        for line in Pieces.lines(text) where !line.isBlank {
            if collector.isFull { return }
            collector.add(.paragraph, line.string, Place(page: page))
        }
    }

    private static func slides(_ text: [UInt8], into collector: inout BlockCollector) {
        for (number, slide) in Pieces(text[...], by: 0x0C).enumerated() {
            lines(slide, page: number + 1, into: &collector)
        }
    }

    private static func names(_ folder: WorkFolder, _ file: String) -> [String] {
        LocalFile("\(folder.path)/\(file)").flatMap { CompoundFile($0) }.map { LegacyOffice.sheetNames($0) } ?? []
    }

    /// The names are given only where there are as many as sheets: a sheet that is a chart prints nothing.
    private static func sheets(_ text: [UInt8], named names: [String], into collector: inout BlockCollector) {
        let count = text.count { $0 == 0x0C }
        for (number, sheet) in Pieces(text[...], by: 0x0C).enumerated() {
            let name = names.count == count && number < count ? names[number] : nil
            var table = TableCollector(Place(sheet: name))
            var rows = DelimitedRows(sheet)
            while !collector.isFull, let row = rows.next() { table.add(row, to: &collector) }
            table.finish(&collector)
        }
    }
}
