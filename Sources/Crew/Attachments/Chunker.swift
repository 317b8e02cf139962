package import Domain

/// Cuts the text of a file into passages that can be found, quoted and cited. Pure: the same text gives the same passages.
///
/// A passage never crosses a heading, a page or a sheet. Rows of a table travel with its header.
package struct Chunker {
    /// UTF-8 bytes that a passage aims at; only what cannot be parted is longer, up to ``TextChunk/longest``.
    package static let target = 2_000
    private static let mostRows = 50

    private var chunks: [TextChunk] = []
    private var headings: [(level: Int, text: String)] = []
    private var place = ChunkPlace()
    private var body = ""
    /// What is in `body` is headings only: what follows belongs to them.
    private var isTitleOnly = true
    private var language = "simple"
    /// Rows of the table before, where this one goes on with it.
    private var rowsBefore = 0

    /// - Parameter text: of one file, in reading order.
    /// - Returns: its passages in the same order; none where it has no text.
    package static func chunks(of text: ExtractedText) -> [TextChunk] {
        var chunker = Chunker()
        for block in text.blocks { chunker.add(block) }
        chunker.flush()
        return chunker.numbered
    }

    private init() {}

    private mutating func add(_ block: TextBlock) {
        let text = block.text.utf8.contains(0) ? block.text.replacing("\0", with: "\u{FFFD}") : block.text
        guard text.contains(where: { !$0.isWhitespace }) else { return }
        if block.page != place.page || block.sheet != place.sheet {
            flush()
            place.page = block.page
            if block.sheet != place.sheet { rowsBefore = 0 }
            place.sheet = block.sheet
        }
        switch block.kind {
        case .heading(let level): open(level, text)
        case .paragraph: append(pieces(of: text, at: [". ", "\n", " "]))
        case .code: append(pieces(of: text, at: ["\n", " "]))
        case .table: addTable(text)
        }
        if block.kind != .table { rowsBefore = 0 }
    }

    // MARK: Headings and paragraphs

    private mutating func open(_ level: Int, _ text: String) {
        if !isTitleOnly { flush() }
        headings.removeAll { $0.level >= level }
        let title = ChunkPlace.label(text, limit: 200)
        headings.append((level, title))
        append(line: String(repeating: "#", count: max(1, min(level, 6))) + " " + title)
    }

    private mutating func append(_ pieces: [String]) {
        for piece in pieces {
            if !isTitleOnly, body.utf8.count + piece.utf8.count > Self.target { flush() }
            if body.utf8.count + piece.utf8.count + 2 > TextChunk.longest { flush() }
            append(line: piece)
            isTitleOnly = false
        }
    }

    private mutating func append(line: String) {
        body += body.isEmpty ? line : "\n\n" + line
    }

    private mutating func flush() {
        defer {
            body = ""
            isTitleOnly = true
            place.rows = nil
        }
        guard !body.isEmpty else { return }
        language = LanguageGuess.language(of: body) ?? language
        var here = place
        here.headings = headings.map(\.text)
        chunks.append(TextChunk(place: here, text: body, language: language))
    }

    /// Parts of at most the target, cut behind the first of these marks that is there.
    private func pieces(of text: String, at marks: [String]) -> [String] {
        var out: [String] = []
        var rest = text[...]
        while rest.utf8.count > Self.target {
            let head = Self.head(of: rest, bytes: Self.target)
            let cut = marks.lazy.compactMap { Self.last($0, in: head) }.first ?? head.endIndex
            out.append(Self.trimmed(rest[..<cut]))
            rest = rest[cut...]
        }
        return (out + [Self.trimmed(rest)]).filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text.drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }

    /// Where the last mark in the second half of a text ends.
    private static func last(_ mark: String, in head: Substring) -> String.Index? {
        guard let found = head.ranges(of: mark).last?.upperBound else { return nil }
        return head.utf8.distance(from: head.startIndex, to: found) > target / 4 ? found : nil
    }

    /// So many bytes at most, cut between scalars: a letter under a heap of accents may be longer than any passage.
    private static func head(of text: Substring, bytes: Int) -> Substring {
        var end = text.utf8.index(text.startIndex, offsetBy: bytes)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return text[..<end]
    }

    // MARK: Tables

    private mutating func addTable(_ text: String) {
        var rows = text.split(whereSeparator: \.isNewline).map { "| \(Self.trimmed($0)) |" }
        let header = Self.hasHeader(rows) ? rows.removeFirst() : nil
        let headerRoom = header.map { $0.utf8.count < Self.target / 2 } == true ? header : nil
        flushUnlessTitle()
        var first = rowsBefore + 1
        var held: [String] = []
        var size = 0
        for row in rows.flatMap({ cut($0) }) {
            if !held.isEmpty, held.count == Self.mostRows || size + row.utf8.count > Self.target {
                add(held, headerRoom, from: first)
                first += held.count
                (held, size) = ([], 0)
            }
            held.append(row)
            size += row.utf8.count + 1
        }
        if !held.isEmpty || headerRoom != nil { add(held, headerRoom, from: first) }
        rowsBefore = first + held.count - 1
    }

    private mutating func flushUnlessTitle() {
        if !isTitleOnly { flush() }
    }

    private mutating func add(_ rows: [String], _ header: String?, from first: Int) {
        let table = ((header.map { [$0] } ?? []) + rows).joined(separator: "\n")
        if body.utf8.count + table.utf8.count + 2 > TextChunk.longest { flush() }
        append(line: table)
        place.rows = rows.isEmpty ? nil : first...(first + rows.count - 1)
        flush()
    }

    /// A row longer than a passage may be is cut: it is a text in a cell.
    private func cut(_ row: String) -> [String] {
        row.utf8.count > Self.target ? pieces(of: row, at: [". ", " | ", " "]) : [row]
    }

    /// The first row names columns: there are others, and none of its cells is a number.
    private static func hasHeader(_ rows: [String]) -> Bool {
        guard rows.count > 1 else { return false }
        return !rows[0].split(separator: "|").contains { cell in
            let letters = cell.filter { !$0.isWhitespace }
            return !letters.isEmpty && letters.allSatisfy { $0.isNumber || ".,-+%€$£".contains($0) }
        }
    }

    // MARK: Places

    /// A text without any places of its own is counted through, so that its passages can be told apart.
    private var numbered: [TextChunk] {
        guard chunks.count > 1 else { return chunks }
        return chunks.enumerated().map { index, chunk in
            guard chunk.place.name == nil else { return chunk }
            var place = chunk.place
            place.part = index + 1
            return TextChunk(place: place, text: chunk.text, language: chunk.language)
        }
    }
}
