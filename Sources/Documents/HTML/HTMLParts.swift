/// A list that is being written.
struct HTMLList {
    let isOrdered: Bool
    var next: Int

    /// What the next item begins with.
    mutating func mark() -> String {
        defer { next += 1 }
        return isOrdered ? "\(next). " : "- "
    }
}

/// A table that is being written: the cells of its current row.
struct HTMLTable {
    /// The frame that it stands in.
    let frame: Int
    var cells: [[UInt8]] = []

    /// - Returns: the row as one line; or, where cells hold more than a line has room for, each of them as a block: then
    ///   the table was there for the layout.
    mutating func takeRow() -> [(text: [UInt8], breaks: Int)] {
        defer { cells = [] }
        while cells.last?.isEmpty == true { cells.removeLast() }
        guard !cells.isEmpty else { return [] }
        guard cells.count > 1, !cells.contains(where: Self.isLong) else {
            return cells.filter { !$0.isEmpty }.map { ($0, cells.count > 1 || Self.isLong($0) ? 2 : 1) }
        }
        let line = cells.map { $0.map { $0 == 0x0A ? 0x20 : $0 } }.joined(separator: " | ".utf8)
        return [(Array(line), 1)]
    }

    private static func isLong(_ cell: [UInt8]) -> Bool {
        zip(cell, cell.dropFirst()).contains { $0 == 0x0A && $1 == 0x0A }
    }
}

/// What a page may be called.
struct HTMLTitles {
    private var title: [UInt8]?
    private(set) var heading: [UInt8]?
    private(set) var isInTitle = false
    private var isInHeading = false

    /// More is no title.
    private static let limit = 1000

    var best: String? { Self.clean(title) ?? Self.clean(heading) }

    /// - Returns: false for a second one.
    mutating func beginTitle() -> Bool {
        guard title == nil else { return false }
        title = []
        isInTitle = true
        return true
    }

    mutating func endTitle() { isInTitle = false }

    mutating func beginHeading() {
        heading = []
        isInHeading = true
    }

    /// One without text does not count.
    mutating func endHeading() {
        if isInHeading, Self.clean(heading) == nil { heading = nil }
        isInHeading = false
    }

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        if let count = title?.count, count < Self.limit { title?.append(contentsOf: HTMLCharacters.kept(bytes)) }
    }

    mutating func add(heading bytes: UnsafeBufferPointer<UInt8>) {
        guard isInHeading, let count = heading?.count, count < Self.limit else { return }
        heading?.append(contentsOf: HTMLCharacters.kept(bytes))
    }

    private static func clean(_ bytes: [UInt8]?) -> String? {
        let words = Array((bytes ?? []).split { $0 <= 0x20 }.joined(separator: [0x20]))
        return words.isEmpty ? nil : UTF8Cut.string(words, limit: 300).text
    }
}

/// Characters as a reader sees them.
enum HTMLCharacters {
    /// Without control characters and marks that have no width; spaces that do not break are spaces.
    static func kept(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            let next = at + 1 < bytes.count ? bytes[at + 1] : 0
            let third = at + 2 < bytes.count ? bytes[at + 2] : 0
            switch (byte, next, third) {
            case (0x09, _, _), (0x0A, _, _): out.append(byte)
            case (0x0C, _, _), (0x0D, _, _): if next != 0x0A { out.append(0x0A) }
            case (0..<0x20, _, _), (0x7F, _, _): break
            // No-break space; soft hyphen and C1 controls.
            case (0xC2, 0xA0, _):
                out.append(0x20)
                at += 1
            case (0xC2, 0x80...0x9F, _), (0xC2, 0xAD, _): at += 1
            // Zero-width space, word joiner, byte order mark.
            case (0xE2, 0x80, 0x8B), (0xE2, 0x81, 0xA0), (0xEF, 0xBB, 0xBF): at += 2
            default: out.append(byte)
            }
            at += 1
        }
        return out
    }
}
