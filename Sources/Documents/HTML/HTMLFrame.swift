/// Text that is being written: the page's, or that of one table cell.
struct HTMLFrame {
    private(set) var text: [UInt8] = []
    /// Newlines to write before the next word.
    private var breaks = 0
    private var hasSpace = false
    private var isAtLineStart = true
    private var marks: [Mark] = []

    /// What stands before the lines of a list item, a heading or a quotation.
    private struct Mark {
        let first: String
        let rest: String
        var isUsed = false
    }

    /// Deeper than this, marks say nothing any more.
    private static let markLimit = 12

    /// - Returns: false where nothing is to be popped for it.
    mutating func push(mark first: String, rest: String) -> Bool {
        guard marks.count < Self.markLimit else { return false }
        marks.append(Mark(first: first, rest: rest))
        return true
    }

    mutating func popMark() {
        _ = marks.popLast()
    }

    /// The next word is at least so many lines below.
    mutating func need(_ count: Int) {
        // A mark and its text stay together.
        let isOpen = marks.last.map { !$0.isUsed } ?? false
        breaks = max(breaks, isOpen ? min(count, 1) : count)
        hasSpace = false
    }

    mutating func space() {
        hasSpace = true
    }

    mutating func append(_ byte: UInt8) {
        if breaks > 0 || isAtLineStart || hasSpace { begin() }
        text.append(byte)
    }

    mutating func append(_ string: some Sequence<UInt8>) {
        begin()
        text += string
    }

    /// A line that keeps its spaces; the lines of code blocks.
    mutating func line(_ bytes: some Collection<UInt8>) {
        need(1)
        append(bytes)
    }

    /// Whether there are words from `start` on, and they are not the address themselves.
    func needs(_ url: String, from start: Int) -> Bool {
        text.count > start && text[start...].contains { $0 > 0x20 }
            && !text[start...].suffix(url.utf8.count).elementsEqual(url.utf8)
    }

    /// Behind the last word, whatever is to come before the next.
    mutating func add(behind string: String) {
        text += Array(string.utf8)
    }

    private mutating func begin() {
        if breaks > 0, !text.isEmpty {
            text += repeatElement(0x0A, count: breaks)
            isAtLineStart = true
        }
        breaks = 0
        if isAtLineStart {
            for index in marks.indices {
                text += Array((marks[index].isUsed ? marks[index].rest : marks[index].first).utf8)
                marks[index].isUsed = true
            }
            isAtLineStart = false
        } else if hasSpace {
            text.append(0x20)
        }
        hasSpace = false
    }
}
