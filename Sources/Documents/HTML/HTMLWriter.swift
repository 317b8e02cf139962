import Domain

/// Writes a page's text while its elements go by.
final class HTMLWriter: HTMLListener {
    private var base: URLParts?
    private let limit: Int
    private let withNavigation: Bool
    /// What to undo for each open element.
    private var open: [Open] = []
    private var frames = [HTMLFrame()]
    private var tables: [HTMLTable] = []
    private var lists: [HTMLList] = []
    private var links: [Link] = []
    private var silence = 0
    private var scripts = 0
    private var headings = 0
    private var block: [UInt8]?
    private var code: [UInt8]?
    private var titles = HTMLTitles()
    /// Bytes written, also those that are written again from a cell into its row.
    private var produced = 0

    private enum Open {
        case nothing, silence, script, title, heading(isMarked: Bool), marked, quote, list, block, term, code
        case preformatted, link, table, row, cell
    }

    private struct Link {
        let url: String
        let frame: Int
        /// Where its text begins.
        let start: Int
    }

    /// Cells within cells, so deep; deeper tables are plain text.
    private static let frameLimit = 8

    init(base: URLParts?, limit: Int, withNavigation: Bool) {
        self.base = base
        self.limit = limit
        self.withNavigation = withNavigation
    }

    var title: String? { titles.best }
    var isDone: Bool { frames[0].text.count > limit || produced > 8 * limit }
    var isInScript: Bool { scripts > 0 }

    /// - Returns: the text, up to wherever the page came to its end.
    func finish() -> [UInt8] {
        while !open.isEmpty { close() }
        return frames[0].text
    }

    // MARK: Elements

    func open(_ name: String, _ attributes: HTMLAttributes) {
        let opened = begin(name, attributes)
        open.append(opened)
    }

    private func begin(_ name: String, _ attributes: HTMLAttributes) -> Open {
        if name == "script" || name == "style" {
            scripts += 1
            return .script
        }
        if silence > 0 || isSilent(name, attributes) {
            silence += 1
            return .silence
        }
        if name == "title" { return titles.beginTitle() ? .title : .nothing }
        if block != nil { return inBlock(name) }
        if let level = HTMLElements.level(name) { return heading(level) }
        if HTMLElements.blocks.contains(name), name != "table" || frames.count > Self.frameLimit { return paragraph() }
        if HTMLElements.code.contains(name) {
            guard code == nil else { return .nothing }
            code = []
            return .code
        }
        if HTMLElements.preformatted.contains(name) { return preformatted() }
        return beginOther(name, attributes)
    }

    private func beginOther(_ name: String, _ attributes: HTMLAttributes) -> Open {
        switch name {
        case "br": lineBreak()
        case "hr": rule()
        case "img": image(attributes)
        case "base": if let href = attributes["href"] { base = (try? base?.resolving(href)) ?? base }
        case "a": return link(attributes)
        case "ul", "ol", "menu": return list(name, attributes)
        case "li": return item()
        case "dt":
            paragraph()
            return .term
        case "dd": return marked(": ", "  ", breaks: 1)
        case "blockquote": return marked("> ", "> ", breaks: 2, as: .quote)
        case "table": return table()
        case "tr": return row()
        case "td", "th": return cell()
        default: break
        }
        return .nothing
    }

    private func isSilent(_ name: String, _ attributes: HTMLAttributes) -> Bool {
        if HTMLElements.silent.contains(name) || HTMLElements.isHidden(name, attributes) { return true }
        return !withNavigation && HTMLElements.isNavigation(name, attributes)
    }

    func close() {
        guard let last = open.popLast() else { return }
        switch last {
        case .nothing: break
        case .silence: silence -= 1
        case .script: scripts -= 1
        case .title: titles.endTitle()
        case .heading(let isMarked): endHeading(isMarked)
        case .marked: endMark()
        case .quote: endMark(breaks: 2)
        case .list: endList()
        case .block: paragraph(2)
        case .term: paragraph(1)
        case .code: endCode()
        case .preformatted: endPreformatted()
        case .link: endLink()
        case .table: endTable()
        case .row: endRow()
        case .cell: endCell()
        }
    }

    // MARK: Text

    func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard silence == 0, scripts == 0 else { return }
        if titles.isInTitle { return titles.add(bytes) }
        if block != nil { return block?.append(contentsOf: HTMLCharacters.kept(bytes)) ?? () }
        produced += bytes.count
        if code != nil { return code?.append(contentsOf: HTMLCharacters.kept(bytes)) ?? () }
        if headings > 0 { titles.add(heading: bytes) }
        words(HTMLCharacters.kept(bytes))
    }

    private func words(_ bytes: some Sequence<UInt8>) {
        let top = frames.count - 1
        for byte in bytes {
            if byte <= 0x20 { frames[top].space() } else { frames[top].append(byte) }
        }
    }

    private func write(_ text: String) {
        produced += text.utf8.count
        words(text.utf8)
    }

    // MARK: Blocks

    private var top: Int { frames.count - 1 }

    @discardableResult
    private func paragraph(_ breaks: Int = 2) -> Open {
        spill()
        frames[top].need(breaks)
        return .block
    }

    /// Code that holds blocks is no code.
    private func spill() {
        guard let held = code else { return }
        code = nil
        words(held)
    }

    private func lineBreak() {
        if headings > 0 { return frames[top].space() }
        if code != nil { return code?.append(0x20) ?? () }
        frames[top].need(1)
    }

    private func rule() {
        paragraph()
        frames[top].append("---".utf8)
        paragraph()
    }

    private func heading(_ level: Int) -> Open {
        paragraph()
        headings += 1
        if titles.heading == nil { titles.beginHeading() }
        return .heading(isMarked: frames[top].push(mark: String(repeating: "#", count: level) + " ", rest: ""))
    }

    private func endHeading(_ isMarked: Bool) {
        spill()
        headings -= 1
        titles.endHeading()
        if isMarked { frames[top].popMark() }
        frames[top].need(2)
    }

    private func marked(_ first: String, _ rest: String, breaks: Int, as kind: Open = .marked) -> Open {
        paragraph(breaks)
        return frames[top].push(mark: first, rest: rest) ? kind : .block
    }

    private func endMark(breaks: Int = 1) {
        spill()
        frames[top].popMark()
        frames[top].need(breaks)
    }

    private func image(_ attributes: HTMLAttributes) {
        guard let alt = attributes["alt"], alt.contains(where: { !$0.isWhitespace }) else { return }
        write("[image: ")
        write(String(alt.prefix(500)))
        frames[top].add(behind: "]")
    }

    // MARK: Code

    private func endCode() {
        guard let held = code else { return }
        code = nil
        let words = Array(held.split { $0 <= 0x20 }.joined(separator: [0x20]))
        guard !words.isEmpty else { return }
        if let first = held.first, first <= 0x20 { frames[top].space() }
        frames[top].append([0x60] + words + [0x60])
        if let last = held.last, last <= 0x20 { frames[top].space() }
    }

    private func preformatted() -> Open {
        paragraph()
        block = []
        return .preformatted
    }

    private func inBlock(_ name: String) -> Open {
        if name == "br" { block?.append(0x0A) }
        return .nothing
    }

    private func endPreformatted() {
        var held = block ?? []
        block = nil
        while let last = held.last, last <= 0x20 { held.removeLast() }
        if held.first == 0x0A { held.removeFirst() }
        guard !held.isEmpty else { return }
        produced += held.count
        let ticks = held.split { $0 != 0x60 }.map(\.count).max() ?? 0
        let fence = [UInt8](repeating: 0x60, count: max(3, ticks + 1))
        frames[top].append(fence)
        for line in held.split(separator: 0x0A, omittingEmptySubsequences: false) { frames[top].line(line) }
        frames[top].line(fence)
        frames[top].need(2)
    }

    // MARK: Links

    private func link(_ attributes: HTMLAttributes) -> Open {
        guard let href = attributes["href"], href.utf8.count <= 2048, !href.hasPrefix("#") else { return .nothing }
        let trimmed = href.filter { !$0.isWhitespace }
        guard let parts = try? base.map({ try $0.resolving(trimmed) }) ?? URLParts(trimmed) else { return .nothing }
        links.append(Link(url: parts.canonical, frame: top, start: frames[top].text.count))
        return .link
    }

    private func endLink() {
        spill()
        guard let link = links.popLast(), link.frame == top, frames[top].needs(link.url, from: link.start) else {
            return
        }
        produced += link.url.utf8.count
        frames[top].add(behind: " (\(link.url))")
    }

    // MARK: Lists

    private func list(_ name: String, _ attributes: HTMLAttributes) -> Open {
        paragraph(lists.isEmpty ? 2 : 1)
        let start = attributes["start"].flatMap { Int($0) }.map { min(max($0, 0), 1_000_000) } ?? 1
        lists.append(HTMLList(isOrdered: name == "ol", next: start))
        return .list
    }

    private func endList() {
        spill()
        _ = lists.popLast()
        frames[top].need(lists.isEmpty ? 2 : 1)
    }

    private func item() -> Open {
        guard !lists.isEmpty else { return marked("- ", "  ", breaks: 1) }
        let mark = lists[lists.count - 1].mark()
        return marked(mark, String(repeating: " ", count: mark.utf8.count), breaks: 1)
    }

    // MARK: Tables

    private func table() -> Open {
        paragraph()
        tables.append(HTMLTable(frame: top))
        return .table
    }

    private func endTable() {
        spill()
        _ = tables.popLast()
        frames[top].need(2)
    }

    private func row() -> Open {
        guard let table = tables.indices.last, tables[table].frame == top else { return paragraph(1) }
        tables[table].cells = []
        return .row
    }

    private func cell() -> Open {
        guard let table = tables.last, table.frame == top else { return paragraph(1) }
        spill()
        frames.append(HTMLFrame())
        return .cell
    }

    private func endCell() {
        spill()
        guard frames.count > 1, let frame = frames.popLast(), let table = tables.indices.last else { return }
        tables[table].cells.append(frame.text)
    }

    private func endRow() {
        spill()
        guard let table = tables.indices.last else { return }
        for block in tables[table].takeRow() {
            frames[top].need(block.breaks)
            produced += block.text.count
            for line in block.text.split(separator: 0x0A, omittingEmptySubsequences: false) {
                if line.isEmpty { frames[top].need(2) } else { frames[top].line(line) }
            }
            frames[top].need(block.breaks)
        }
    }
}
