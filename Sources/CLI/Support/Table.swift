/// Columns for people: as wide as their widest cell, and together at most 100 characters.
extension Terminal {
    static let width = 100

    /// - Parameter right: columns of numbers; they are set flush right and never cut.
    static func table(_ header: [String], _ rows: [[String]], right: Set<Int> = []) -> String {
        let lines = [header] + rows
        let natural = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let widths = fitted(natural, header: header, right: right)
        func line(_ cells: [String]) -> String {
            cells.enumerated().map { column, cell in
                let text = cut(cell, to: widths[column])
                if column == cells.count - 1, !right.contains(column) { return text }
                let padding = String(repeating: " ", count: widths[column] - text.count)
                return right.contains(column) ? padding + text : text + padding
            }.joined(separator: "  ")
        }
        return ([paint(line(header), .bold)] + rows.map(line)).joined(separator: "\n")
    }

    /// The widest column of text gives way first, but never to less than its heading or eight characters.
    private static func fitted(_ natural: [Int], header: [String], right: Set<Int>) -> [Int] {
        var widths = natural
        var excess = widths.reduce(2 * (widths.count - 1), +) - width
        while excess > 0 {
            let flexible = widths.indices.filter { !right.contains($0) && widths[$0] > max(8, header[$0].count) }
            guard let widest = flexible.max(by: { widths[$0] < widths[$1] }) else { break }
            let next = flexible.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
            let step = min(excess, max(1, widths[widest] - max(next, max(8, header[widest].count))))
            widths[widest] -= step
            excess -= step
        }
        return widths
    }

    static func cut(_ text: String, to width: Int) -> String {
        let text = text.contains(where: \.isNewline) ? String(text.map { $0.isNewline ? " " : $0 }) : text
        return text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
    }

    /// A filled bar of `width` characters, `[####----]` without its brackets.
    static func bar(_ part: Int, of whole: Int, width: Int) -> String {
        let filled = whole > 0 ? min(width, (part * width + whole - 1) / whole) : 0
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }
}
