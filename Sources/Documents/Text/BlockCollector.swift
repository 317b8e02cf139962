import Domain

typealias BlockKind = TextBlock.Kind

/// Where in a document a block stands.
struct Place: Equatable {
    var page: Int?
    var sheet: String?
}

/// Takes a document's text block by block, cleans it, and stops at the limits.
struct BlockCollector {
    /// Unicode scalars of one file.
    static let textLimit = 2_000_000
    /// Blocks of one file: many tiny ones would cost more memory than their text.
    static let blockLimit = 100_000

    private(set) var blocks: [TextBlock] = []
    private var room = textLimit
    private(set) var isFull = false

    /// As much of UTF-8 as may be kept, so that nothing later is larger.
    static func beginning(of text: [UInt8]) -> ArraySlice<UInt8> {
        guard text.count > textLimit else { return text[...] }
        var room = textLimit
        let end = text.firstIndex { byte in
            if byte & 0xC0 != 0x80 { room -= 1 }
            return room < 0
        }
        return text[..<(end ?? text.endIndex)]
    }

    /// Says that there was more than was read.
    mutating func cut() { isFull = true }

    /// Adds a block, unless nothing of it is left after cleaning.
    mutating func add(_ kind: TextBlock.Kind, _ raw: String, _ place: Place = Place()) {
        guard !isFull else { return }
        var text = CleanText.of(raw)
        guard !text.isEmpty else { return }
        let length = text.unicodeScalars.count
        if length > room {
            text = String(text.unicodeScalars.prefix(room))
            isFull = true
        }
        room -= min(room, length)
        if !text.isEmpty { blocks.append(TextBlock(kind, text, page: place.page, sheet: place.sheet)) }
        if blocks.count >= Self.blockLimit { isFull = true }
    }

    /// - Parameter empty: the status of a file without text.
    func result(empty: TextStatus = .empty) -> ExtractedText {
        if blocks.isEmpty { return ExtractedText(status: isFull ? .tooLarge : empty) }
        return ExtractedText(status: .indexed, blocks: blocks, truncated: isFull)
    }
}

/// Gathers a table's rows into blocks of at most ``rowLimit`` lines that all begin with the first row.
struct TableCollector {
    static let rowLimit = 50
    /// Cells of a row; Excel has no more columns.
    static let columnLimit = 16_384
    /// Scalars of a first row that is said again: a longer one would be most of the text.
    private static let headerLimit = 2_000

    private let place: Place
    private var header: String?
    private var lines: [String] = []
    private var hasRows = false

    init(_ place: Place) { self.place = place }

    mutating func add(_ cells: [String], to collector: inout BlockCollector) {
        let texts = cells.prefix(Self.columnLimit).map(CleanText.line)
        guard let last = texts.lastIndex(where: { !$0.isEmpty }) else { return }
        let line = texts[...last].joined(separator: " | ")
        if header == nil { header = line.unicodeScalars.count > Self.headerLimit ? "" : line }
        lines.append(line)
        hasRows = true
        if lines.count >= Self.rowLimit { flush(&collector) }
    }

    mutating func finish(_ collector: inout BlockCollector) {
        if hasRows { flush(&collector) }
    }

    private mutating func flush(_ collector: inout BlockCollector) {
        collector.add(.table, lines.joined(separator: "\n"), place)
        lines = header.flatMap { $0.isEmpty ? nil : [$0] } ?? []
        hasRows = false
    }
}
