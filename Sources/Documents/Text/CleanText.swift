/// Text as it is kept: NFC, lines ended by a newline, no control characters, no blanks at its ends.
enum CleanText {
    static func of(_ raw: String) -> String { clean(raw, newline: 0x0A) }

    /// The same, in one line: a table's cell.
    static func line(_ raw: String) -> String { clean(raw, newline: 0x20) }

    /// Byte by byte, because files are large and most of their letters need no second look.
    private static func clean(_ raw: String, newline: UInt8) -> String {
        var raw = raw
        return raw.withUTF8 { bytes in
            var (kept, at, isPlain): ([UInt8], Int, Bool) = ([], 0, true)
            kept.reserveCapacity(bytes.count)
            while at < bytes.count {
                let byte = bytes[at]
                if byte >= 0x20, byte < 0x7F {
                    kept.append(byte)
                    at += 1
                } else {
                    let length = length(of: byte)
                    let end = min(at + length, bytes.count)
                    append(bytes[at..<end], newline, to: &kept)
                    // A carriage return and a newline are one.
                    at = byte == 0x0D && end < bytes.count && bytes[end] == 0x0A ? end + 1 : end
                    if byte >= 0x80 { isPlain = false }
                }
            }
            return text(kept, isPlain: isPlain)
        }
    }

    private static func length(of lead: UInt8) -> Int { lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4 }

    /// Drops what has no place in a text: Postgres takes no U+0000, a prompt needs no other control character, and a byte
    /// order mark in the middle marks nothing.
    private static func append(_ scalar: Slice<UnsafeBufferPointer<UInt8>>, _ newline: UInt8, to kept: inout [UInt8]) {
        switch scalar.count {
        case 1:
            switch scalar[scalar.startIndex] {
            case 0x09: kept.append(newline == 0x0A ? 0x09 : 0x20)
            case 0x0A...0x0D: kept.append(newline)
            default: return
            }
        case 2 where scalar.elementsEqual([0xC2, 0x85]): kept.append(newline)
        case 2 where scalar[scalar.startIndex] == 0xC2 && scalar[scalar.startIndex + 1] < 0xA0: return
        case 3 where scalar.elementsEqual([0xE2, 0x80, 0xA8]) || scalar.elementsEqual([0xE2, 0x80, 0xA9]):
            kept.append(newline)
        case 3 where [[0xEF, 0xBB, 0xBF], [0xEF, 0xBF, 0xBE], [0xEF, 0xBF, 0xBF]].contains(Array(scalar)): return
        default: kept += scalar
        }
    }

    private static func text(_ bytes: [UInt8], isPlain: Bool) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return "" }
        let text = String(decoding: bytes[first...last], as: UTF8.self)
        return isPlain ? text : String(decoding: text._nfcCodeUnits, as: UTF8.self)
    }
}
