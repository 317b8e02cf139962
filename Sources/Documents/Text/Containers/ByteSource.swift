/// Where a container's bytes are read from, piece by piece: a file, or an array in a test.
package protocol ByteSource {
    /// In bytes.
    var size: Int { get }

    /// At most `count` bytes from `offset` on; fewer at the end, none beyond it.
    func bytes(at offset: Int, count: Int) -> [UInt8]
}

extension [UInt8]: ByteSource {
    package var size: Int { count }

    package func bytes(at offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, count > 0, offset < self.count else { return [] }
        return Array(self[offset..<Swift.min(offset + count, self.count)])
    }

    /// A little-endian number; zero where the bytes end.
    func number(at offset: Int, bytes width: Int) -> Int {
        guard offset >= 0, offset + width <= count else { return 0 }
        return (0..<width).reduce(0) { $0 | Int(self[offset + $1]) << (8 * $1) }
    }
}
