import CZlib

/// Unpacks a gzip or deflate body while it comes (RFC 1950, 1951, 1952), and never to more than a limit.
final class Inflater {
    /// Why unpacking ended.
    enum Fault: Error {
        case tooLarge, broken
    }

    /// zlib remembers where it lies, so it must not move.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let limit: Int
    private(set) var bytes: [UInt8] = []
    private var isBegun = false
    /// Some servers send raw deflate where zlib's format is meant: its first byte tells them apart.
    private let isDeflate: Bool
    private var isFinished = false

    private static let pieceSize = 64 << 10

    /// - Parameter limit: bytes, unpacked.
    init(deflate: Bool, limit: Int) {
        isDeflate = deflate
        self.limit = limit
        stream.initialize(to: z_stream())
    }

    deinit {
        if isBegun { inflateEnd(stream) }
        stream.deallocate()
    }

    /// - Throws: ``Fault``
    func add(_ packed: UnsafeRawBufferPointer) throws(Fault) {
        // What follows the end is nothing of ours.
        guard let first = packed.first, !isFinished else { return }
        try begin(first)
        var piece = [UInt8](repeating: 0, count: Self.pieceSize)
        // Safe: zlib only reads what it is given here, and keeps no pointer to it after the last call.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: packed.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(packed.count)
        while !isFinished {
            let result = piece.withUnsafeMutableBufferPointer { room in
                stream.pointee.next_out = room.baseAddress
                stream.pointee.avail_out = UInt32(room.count)
                return inflate(stream, Z_NO_FLUSH)
            }
            let made = piece.count - Int(stream.pointee.avail_out)
            guard bytes.count + made <= limit else { throw .tooLarge }
            bytes += piece[..<made]
            isFinished = result == Z_STREAM_END
            guard isFinished || result == Z_OK || result == Z_BUF_ERROR else { throw .broken }
            if !isFinished, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 { break }
        }
        stream.pointee.next_in = nil
    }

    /// - Throws: ``Fault/broken`` where the end is missing.
    func end() throws(Fault) -> [UInt8] {
        guard isFinished || !isBegun else { throw .broken }
        return bytes
    }

    private func begin(_ first: UInt8) throws(Fault) {
        guard !isBegun else { return }
        // 32 recognises gzip and zlib; a negative size is raw deflate. Method 8 is zlib's mark.
        let window: Int32 = isDeflate && first & 0x0F != 8 ? -15 : 15 + 32
        guard inflateInit2_(stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .broken
        }
        isBegun = true
    }
}
