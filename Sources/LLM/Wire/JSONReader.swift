/// Reads the few members that matter out of a JSON text, and steps over the rest without building it.
///
/// A stream brings hundreds of small objects; decoding each into a tree would cost more than the network.
struct JSONReader {
    /// The bytes are not JSON (RFC 8259), or are nested deeper than 128.
    struct Malformed: Error {}

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: Structure

    /// Reads an object; `member` must read or skip each value. Any other value is stepped over.
    mutating func object(
        _ member: (inout JSONReader, String) throws(Malformed) -> Void
    ) throws(Malformed) {
        guard peek() == UInt8(ascii: "{") else { return try skip() }
        try enter()
        if take(UInt8(ascii: "}")) { return leave() }
        repeat {
            guard let key = try string() else { throw Malformed() }
            try expect(UInt8(ascii: ":"))
            try member(&self, key)
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        leave()
    }

    /// Reads an array; `element` must read or skip each value. Any other value is stepped over.
    mutating func array(_ element: (inout JSONReader, Int) throws(Malformed) -> Void) throws(Malformed) {
        guard peek() == UInt8(ascii: "[") else { return try skip() }
        try enter()
        if take(UInt8(ascii: "]")) { return leave() }
        var position = 0
        repeat {
            try element(&self, position)
            position += 1
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        leave()
    }

    /// Steps over one value of any kind.
    mutating func skip() throws(Malformed) {
        switch peek() {
        case UInt8(ascii: "{"): try object { (reader, _) throws(Malformed) in try reader.skip() }
        case UInt8(ascii: "["): try array { (reader, _) throws(Malformed) in try reader.skip() }
        case UInt8(ascii: "\""): try skipString()
        default: try skipWord()
        }
    }

    // MARK: Values

    /// A string; nil where the value is another one, which is stepped over.
    mutating func string() throws(Malformed) -> String? {
        guard peek() == UInt8(ascii: "\"") else {
            try skip()
            return nil
        }
        let start = index + 1
        let hasEscapes = try skipString()
        let end = index - 1
        return hasEscapes ? try unescaped(start, end) : String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// A whole number; nil where the value is another one, which is stepped over.
    mutating func int() throws(Malformed) -> Int? {
        guard let byte = peek(), byte == UInt8(ascii: "-") || Self.isDigit(byte) else {
            try skip()
            return nil
        }
        let start = index
        try skipWord()
        let word = String(decoding: bytes[start..<index], as: UTF8.self)
        return Int(word) ?? Double(word).flatMap { Int(exactly: $0) }
    }

    // MARK: Bytes

    private mutating func peek() -> UInt8? {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return bytes[index]
            }
        }
        return nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(Malformed) {
        guard take(byte) else { throw Malformed() }
    }

    private mutating func enter() throws(Malformed) {
        index += 1
        depth += 1
        guard depth <= 128 else { throw Malformed() }
    }

    private mutating func leave() { depth -= 1 }

    /// A number, `true`, `false` or `null`: what it says does not matter, only where it ends.
    private mutating func skipWord() throws(Malformed) {
        let start = index
        while index < bytes.count, Self.isWord(bytes[index]) { index += 1 }
        guard index > start else { throw Malformed() }
    }

    /// - Returns: whether the string holds escapes.
    @discardableResult
    private mutating func skipString() throws(Malformed) -> Bool {
        var hasEscapes = false
        index += 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                index += 2
            default: index += 1
            }
        }
        throw Malformed()
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "E"),
            UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    // MARK: Escapes

    private func unescaped(_ start: Int, _ end: Int) throws(Malformed) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(end - start)
        var at = start
        while at < end {
            guard bytes[at] == UInt8(ascii: "\\") else {
                out.append(bytes[at])
                at += 1
                continue
            }
            guard at + 1 < end else { throw Malformed() }
            if bytes[at + 1] == UInt8(ascii: "u") {
                out += Array(try scalar(&at, end).utf8)
            } else {
                out.append(try Self.plain(bytes[at + 1]))
                at += 2
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func plain(_ letter: UInt8) throws(Malformed) -> UInt8 {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: throw Malformed()
        }
    }

    /// One `\uXXXX`, or two that make a pair; half a pair becomes U+FFFD.
    private func scalar(_ at: inout Int, _ end: Int) throws(Malformed) -> String {
        let first = try unit(at, end)
        at += 6
        guard (0xD800...0xDBFF).contains(first) else { return text(of: first) }
        guard at + 1 < end, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else {
            return "\u{FFFD}"
        }
        let second = try unit(at, end)
        guard (0xDC00...0xDFFF).contains(second) else { return "\u{FFFD}" }
        at += 6
        return text(of: 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private func text(of value: UInt32) -> String {
        Unicode.Scalar(value).map { String(Character($0)) } ?? "\u{FFFD}"
    }

    private func unit(_ at: Int, _ end: Int) throws(Malformed) -> UInt32 {
        guard at + 6 <= end else { throw Malformed() }
        var value: UInt32 = 0
        for byte in bytes[(at + 2)..<(at + 6)] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 + UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 + UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 + UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw Malformed()
            }
        }
        return value
    }
}
