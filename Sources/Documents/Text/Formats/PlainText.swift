import Domain

/// Files that are text already.
enum PlainText {
    /// Bytes of a file that are looked at: enough for the limit of characters in any language.
    static let sizeLimit = 6 << 20
    /// A block longer than this ends with its line: something must be quotable without the whole file.
    private static let blockSize = 4_000

    /// Paragraphs, parted by empty lines.
    static func paragraphs(_ text: ArraySlice<UInt8>, page: Int? = nil, into collector: inout BlockCollector) {
        var block = OpenBlock(.paragraph, Place(page: page))
        for line in Pieces.lines(text) {
            if collector.isFull { return }
            if line.isBlank || block.size > blockSize { block.close(&collector) }
            if !line.isBlank { block.add(line) }
        }
        block.close(&collector)
    }

    /// JSON and YAML: lines as they are. A line that is a document of its own is parted after commas.
    static func listing(_ text: ArraySlice<UInt8>, into collector: inout BlockCollector) {
        var block = OpenBlock(.code, Place())
        for line in Pieces.lines(text) {
            for part in Parts(line, size: blockSize) {
                if collector.isFull { return }
                if block.size + part.count > blockSize { block.close(&collector) }
                block.add(part)
            }
        }
        block.close(&collector)
    }

    /// A long line in parts that end behind a comma or a space where there is one.
    private struct Parts: Sequence, IteratorProtocol {
        private var rest: ArraySlice<UInt8>
        private var isFirst = true
        private let size: Int

        init(_ line: ArraySlice<UInt8>, size: Int) {
            rest = line
            self.size = size
        }

        mutating func next() -> ArraySlice<UInt8>? {
            guard isFirst || !rest.isEmpty else { return nil }
            isFirst = false
            let head = rest.prefix(size)
            guard head.count < rest.count else {
                rest = []
                return head
            }
            let comma = head.lastIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") }.map { $0 + 1 }
            // Otherwise before a character's first byte.
            let letter = head.lastIndex { $0 & 0xC0 != 0x80 }.flatMap { $0 > head.startIndex ? $0 : nil }
            let end = comma ?? letter ?? head.endIndex
            defer { rest = rest[end...] }
            return rest[..<end]
        }
    }
}

/// Lines on their way to become one block.
struct OpenBlock {
    private let kind: BlockKind
    private let place: Place
    private var bytes: [UInt8] = []

    var size: Int { bytes.count }

    init(_ kind: BlockKind, _ place: Place) {
        self.kind = kind
        self.place = place
    }

    mutating func add(_ line: ArraySlice<UInt8>) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "\n")) }
        bytes += line
    }

    mutating func close(_ collector: inout BlockCollector) {
        guard !bytes.isEmpty else { return }
        collector.add(kind, String(decoding: bytes, as: UTF8.self), place)
        bytes.removeAll()
    }
}
