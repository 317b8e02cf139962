/// Bytes parted by one byte, a piece at a time: an array of all lines of a large file would take more memory than the file.
struct Pieces: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>?
    private let separator: UInt8

    init(_ bytes: ArraySlice<UInt8>, by separator: UInt8) {
        rest = bytes
        self.separator = separator
    }

    /// Lines, which end with a newline; a carriage return before it is dropped.
    static func lines(_ bytes: ArraySlice<UInt8>) -> some Sequence<ArraySlice<UInt8>> {
        Pieces(bytes, by: UInt8(ascii: "\n")).lazy.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard let bytes = rest else { return nil }
        guard let end = bytes.firstIndex(of: separator) else {
            rest = nil
            return bytes
        }
        rest = bytes[(end + 1)...]
        return bytes[..<end]
    }
}

extension ArraySlice<UInt8> {
    /// Nothing but spaces and tabs.
    var isBlank: Bool { allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }

    var string: String { String(decoding: self, as: UTF8.self) }
}
