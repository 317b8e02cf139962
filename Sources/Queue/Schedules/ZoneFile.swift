/// The content of a TZif file (RFC 8536): the changes of a zone's clocks that were or are planned, and the rule after them.
struct ZoneFile: Sendable, Equatable {
    /// When clocks are changed, ascending, in seconds since 1970.
    private let moments: [Int]
    /// The offset from each of these on.
    private let offsets: [Int]
    private let before: Int
    private let footer: ZoneFooter?

    /// - Returns: nil where the bytes are no such file.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let first = Header(&reader) else { return nil }
        var header = first
        var width = 4
        if first.version >= 2 {
            // The first block is for readers that know 32 bits only.
            guard reader.skip(first.length(timeWidth: 4)), let second = Header(&reader) else { return nil }
            header = second
            width = 8
        }
        guard header.types > 0, let moments = reader.integers(header.times, width: width),
            let indices = reader.integers(header.times, width: 1, signed: false)
        else { return nil }
        var types: [Int] = []
        for _ in 0..<header.types {
            guard let offset = reader.integers(1, width: 4)?.first, reader.skip(2) else { return nil }
            types.append(offset)
        }
        guard indices.allSatisfy({ $0 < types.count }), let before = types.first else { return nil }
        self.moments = moments
        self.offsets = indices.map { types[$0] }
        self.before = before
        let rest = header.characters + header.leaps * (width + 4) + header.standards + header.universals
        guard reader.skip(rest) else { return nil }
        footer = width == 8 ? ZoneFooter(reader.line()) : nil
    }

    func offset(at instant: Int) -> Int {
        guard let last = moments.last else { return footer?.offset(at: instant) ?? before }
        if instant >= last, let footer { return footer.offset(at: instant) }
        var (low, high) = (0, moments.count)
        while low < high {
            let middle = (low + high) / 2
            if moments[middle] <= instant { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? before : offsets[low - 1]
    }

    private struct Header {
        let version: Int
        let universals: Int
        let standards: Int
        let leaps: Int
        let times: Int
        let types: Int
        let characters: Int

        init?(_ reader: inout ByteReader) {
            guard reader.take(4).map({ Array($0) }) == Array("TZif".utf8), let version = reader.take(1)?.first,
                reader.skip(15), let counts = reader.integers(6, width: 4), counts.allSatisfy({ $0 >= 0 })
            else { return nil }
            // The version is a digit; 0 stands for 1.
            self.version = version == 0 ? 1 : Int(version) - 48
            (universals, standards, leaps) = (counts[0], counts[1], counts[2])
            (times, types, characters) = (counts[3], counts[4], counts[5])
        }

        func length(timeWidth: Int) -> Int {
            times * (timeWidth + 1) + types * 6 + characters + leaps * (timeWidth + 4) + standards + universals
        }
    }
}

/// Reads numbers of the network's byte order, one after the other.
private struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= bytes.count - position else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) -> Bool { take(count) != nil }

    mutating func integers(_ count: Int, width: Int, signed: Bool = true) -> [Int]? {
        guard count <= bytes.count, let slice = take(count * width) else { return nil }
        return stride(from: slice.startIndex, to: slice.endIndex, by: width).map { start in
            let value = slice[start..<start + width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let shift = UInt64(64 - width * 8)
            return signed ? Int(Int64(bitPattern: value << shift) >> Int64(shift)) : Int(value)
        }
    }

    /// The text between the next two newlines.
    mutating func line() -> Substring {
        let rest = String(decoding: bytes[position...], as: UTF8.self)
        return rest.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().first ?? ""
    }
}
