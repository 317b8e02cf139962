/// Which bytes of an object a request asks for (RFC 9110, section 14).
enum ByteRange: Equatable {
    case whole
    case part(Range<Int>)
    case unsatisfiable

    /// Several ranges, other units and what cannot be read count as none: the whole object is a right answer to them.
    init(_ header: String?, size: Int) {
        guard let header, header.lowercased().hasPrefix("bytes="), !header.contains(",") else {
            self = .whole
            return
        }
        let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else {
            self = .whole
            return
        }
        switch (Self.number(ends[0]), Self.number(ends[1])) {
        case (let first?, let last?) where ends[0].isEmpty == false && first <= last:
            self = Self.part(first, min(last, size - 1), size)
        case (let first?, nil) where ends[1].isEmpty: self = Self.part(first, size - 1, size)
        // The last so many bytes.
        case (nil, let count?) where ends[0].isEmpty:
            self = count == 0 ? .unsatisfiable : Self.part(max(0, size - count), size - 1, size)
        default: self = .whole
        }
    }

    private static func part(_ first: Int, _ last: Int, _ size: Int) -> ByteRange {
        first < size ? .part(first..<last + 1) : .unsatisfiable
    }

    /// Digits only, as many as fit; nil for none.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text.prefix(18))
    }
}
