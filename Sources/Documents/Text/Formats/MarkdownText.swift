import Domain

/// Markdown by its blocks, in one pass over the lines.
///
/// Not by ``MarkdownTree``: the words are kept as they were written, marks and links included, and a parser of inline
/// markup is what hostile Markdown makes slow. Nothing here looks at a line more than twice.
struct MarkdownText {
    private var paragraph: [String] = []
    private var fence: (mark: Character, length: Int)?
    private var listing: [String] = []
    private var table: TableCollector?

    static func read(_ text: ArraySlice<UInt8>, into collector: inout BlockCollector) {
        var reader = MarkdownText()
        for (number, line) in Pieces.lines(text).enumerated() {
            if collector.isFull { break }
            reader.read(line.string, isFirst: number == 0, &collector)
        }
        reader.close(&collector)
    }

    private mutating func read(_ line: String, isFirst: Bool, _ collector: inout BlockCollector) {
        if fence != nil { return readListing(line, &collector) }
        let words = line.drop { $0 == " " }
        // A block of facts above the text, as static site generators write it.
        if isFirst, line == "---" {
            fence = ("-", 3)
        } else if let opened = Self.fence(words) {
            close(&collector)
            fence = opened
        } else if let level = Self.level(words) {
            close(&collector)
            collector.add(.heading(level), Self.title(words.dropFirst(level)))
        } else if words.allSatisfy(\.isWhitespace) {
            close(&collector)
        } else {
            readText(line, words, &collector)
        }
    }

    private mutating func readText(_ line: String, _ words: Substring, _ collector: inout BlockCollector) {
        if table != nil {
            table?.add(Self.cells(words), to: &collector)
        } else if paragraph.count == 1, paragraph[0].contains("|"), Self.isRule(words) {
            table = TableCollector(Place())
            table?.add(Self.cells(paragraph[0][...]), to: &collector)
            paragraph = []
        } else if paragraph.count == 1, let level = Self.underline(words) {
            collector.add(.heading(level), paragraph[0])
            paragraph = []
        } else {
            paragraph.append(line)
            if paragraph.count >= 100 { close(&collector) }
        }
    }

    private mutating func readListing(_ line: String, _ collector: inout BlockCollector) {
        guard let opened = fence else { return }
        let words = line.drop { $0 == " " }
        let marks = words.prefix { $0 == opened.mark }.count
        if marks >= opened.length, words.dropFirst(marks).allSatisfy(\.isWhitespace) { return close(&collector) }
        listing.append(line)
        if listing.count >= 100 { flushListing(&collector) }
    }

    private mutating func flushListing(_ collector: inout BlockCollector) {
        collector.add(.code, listing.joined(separator: "\n"))
        listing = []
    }

    private mutating func close(_ collector: inout BlockCollector) {
        if !listing.isEmpty { flushListing(&collector) }
        fence = nil
        table?.finish(&collector)
        table = nil
        collector.add(.paragraph, paragraph.joined(separator: "\n"))
        paragraph = []
    }

    // MARK: Lines

    private static func fence(_ words: Substring) -> (Character, Int)? {
        guard let mark = words.first, mark == "`" || mark == "~" else { return nil }
        let length = words.prefix { $0 == mark }.count
        // Three backticks with more behind the next word are code within a line.
        guard length >= 3, mark == "~" || !words.dropFirst(length).contains("`") else { return nil }
        return (mark, length)
    }

    private static func level(_ words: Substring) -> Int? {
        let marks = words.prefix { $0 == "#" }.count
        guard (1...6).contains(marks) else { return nil }
        let rest = words.dropFirst(marks)
        return rest.isEmpty || rest.first == " " || rest.first == "\t" ? marks : nil
    }

    /// Without the marks that may close it.
    private static func title(_ words: Substring) -> String {
        var words = words
        while words.last?.isWhitespace ?? false { words.removeLast() }
        let open = words.reversed().drop { $0 == "#" }
        if open.isEmpty || open.first == " " { words = words.prefix(open.count) }
        return String(words)
    }

    private static func underline(_ words: Substring) -> Int? {
        var words = words
        while words.last?.isWhitespace ?? false { words.removeLast() }
        if !words.isEmpty, words.allSatisfy({ $0 == "=" }) { return 1 }
        return words.count >= 2 && words.allSatisfy { $0 == "-" } ? 2 : nil
    }

    /// The line below a table's header.
    private static func isRule(_ words: Substring) -> Bool {
        words.contains("-") && words.contains("|") && words.allSatisfy { "|-: \t".contains($0) }
    }

    private static func cells(_ words: Substring) -> [String] {
        var (cells, cell, isEscaped): ([String], String, Bool) = ([], "", false)
        for character in words.hasPrefix("|") ? words.dropFirst() : words {
            if character == "|", !isEscaped {
                cells.append(cell)
                cell = ""
            } else {
                cell.append(character)
            }
            isEscaped = character == "\\" && !isEscaped
        }
        return cells + [cell]
    }
}
