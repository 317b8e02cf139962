/// CSV (RFC 4180), with the delimiter that the file itself shows.
enum DelimitedText {
    /// What parts cells; the first wins where two part a file equally.
    private static let delimiters: [UInt8] = [",", ";", "\t", "|"].map { UInt8(ascii: $0) }

    static func read(_ text: ArraySlice<UInt8>, into collector: inout BlockCollector) {
        var table = TableCollector(Place())
        var rows = DelimitedRows(text, delimiter: delimiter(of: text))
        while !collector.isFull, let row = rows.next() { table.add(row, to: &collector) }
        table.finish(&collector)
    }

    /// The one that parts the first rows into the same number of cells most often, and into most.
    static func delimiter(of text: ArraySlice<UInt8>) -> UInt8 {
        let sample = text.prefix(65_536)
        let scores = delimiters.map { delimiter in
            var (rows, counts): (DelimitedRows, [Int: Int]) = (DelimitedRows(sample, delimiter: delimiter), [:])
            for _ in 0..<50 {
                guard let row = rows.next() else { break }
                counts[row.count, default: 0] += 1
            }
            let most = counts.filter { $0.key > 1 }.max { ($0.value, $0.key) < ($1.value, $1.key) }
            return most.map { $0.value * 1000 + min($0.key, 999) } ?? 0
        }
        let best = scores.max() ?? 0
        return scores.firstIndex(of: best).map { delimiters[$0] } ?? delimiters[0]
    }
}

/// Rows of CSV, one at a time. Any bytes are CSV: a quote that never ends ends with the text.
struct DelimitedRows {
    private let bytes: ArraySlice<UInt8>
    private let delimiter: UInt8
    private var at: Int

    init(_ bytes: ArraySlice<UInt8>, delimiter: UInt8 = UInt8(ascii: ",")) {
        self.bytes = bytes
        self.delimiter = delimiter
        at = bytes.startIndex
    }

    /// The next row; cells beyond ``TableCollector/columnLimit`` are passed over. nil at the end.
    mutating func next() -> [String]? {
        guard at < bytes.endIndex else { return nil }
        var cells: [String] = []
        while true {
            let (cell, isLast) = cell()
            if cells.count < TableCollector.columnLimit { cells.append(cell) }
            if isLast { return cells }
        }
    }

    /// - Returns: whether it was the last of its row.
    private mutating func cell() -> (String, Bool) {
        var content: [UInt8] = []
        if at < bytes.endIndex, bytes[at] == UInt8(ascii: "\"") { content = quoted() }
        let start = at
        while at < bytes.endIndex, bytes[at] != delimiter, bytes[at] != 0x0A, bytes[at] != 0x0D { at += 1 }
        content += bytes[start..<at]
        return (String(decoding: content, as: UTF8.self), passEnd())
    }

    /// What stands between quotes; two of them are one.
    private mutating func quoted() -> [UInt8] {
        var content: [UInt8] = []
        at += 1
        while at < bytes.endIndex {
            if bytes[at] == UInt8(ascii: "\"") {
                at += 1
                guard at < bytes.endIndex, bytes[at] == UInt8(ascii: "\"") else { return content }
            }
            content.append(bytes[at])
            at += 1
        }
        return content
    }

    private mutating func passEnd() -> Bool {
        guard at < bytes.endIndex else { return true }
        let byte = bytes[at]
        at += 1
        if byte == 0x0D, at < bytes.endIndex, bytes[at] == 0x0A { at += 1 }
        return byte != delimiter
    }
}
