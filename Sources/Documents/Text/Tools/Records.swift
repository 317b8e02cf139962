import Domain

/// Reads what blocks.lua and office.py print.
enum Records {
    static func read(_ output: [UInt8], into collector: inout BlockCollector) {
        var table: TableCollector?
        for record in Pieces(output[...], by: 0x1E) {
            if collector.isFull { break }
            let fields = record.split(separator: 0x1F, maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4 else { continue }
            let kind = String(decoding: fields[0], as: UTF8.self)
            let place = Place(page: Int(text(fields[1])), sheet: fields[2].isEmpty ? nil : text(fields[2]))
            switch kind {
            case "t": table = TableCollector(place)
            case "r":
                table?.add(fields[3].split(separator: 0x1D, omittingEmptySubsequences: false).map(text), to: &collector)
            case "e":
                table?.finish(&collector)
                table = nil
            default:
                if let kind = Self.kind(kind) { collector.add(kind, text(fields[3]), place) }
            }
        }
        // A tool that was stopped in the middle of a table.
        table?.finish(&collector)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func kind(_ word: String) -> BlockKind? {
        switch word {
        case "p": .paragraph
        case "c": .code
        default: word.hasPrefix("h") ? Int(word.dropFirst()).map { .heading(max(1, min(6, $0))) } : nil
        }
    }
}
