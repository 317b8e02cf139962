import Glibc
import NIOCore
import Synchronization

/// A file that is being written, and has its name only when it is whole.
final class LocalBlobFile: Sendable {
    /// What the name of an unfinished file ends in.
    static let unfinished = ".part"

    private let path: String
    private let descriptor: Int32

    init(creating path: String) throws(BlobError) {
        self.path = path
        try Self.makeFolders(Self.parent(path))
        descriptor = open(path + Self.unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Self.fault("making a file") }
    }

    deinit { close(descriptor) }

    func write(_ buffer: ByteBuffer) throws {
        try buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written >= 0 else { throw Self.fault("writing") }
                rest = rest.dropFirst(written)
            }
        }
    }

    /// On disk, under its name, and the name too.
    func publish() throws(BlobError) {
        guard fsync(descriptor) == 0 else { throw Self.fault("syncing a file") }
        guard rename(path + Self.unfinished, path) == 0 else { throw Self.fault("naming a file") }
        try Self.syncFolder(Self.parent(path))
    }

    /// Nothing of it is left.
    func discard() {
        unlink(path + Self.unfinished)
        unlink(path)
    }

    // MARK: Folders

    /// Makes a folder and those above it that are missing, and makes their names last.
    static func makeFolders(_ path: String) throws(BlobError) {
        guard access(path, F_OK) != 0 else { return }
        let above = parent(path)
        if above != path { try makeFolders(above) }
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw fault("making a folder") }
        try syncFolder(above)
    }

    private static func syncFolder(_ path: String) throws(BlobError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw fault("opening a folder") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw fault("syncing a folder") }
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The last error in words; no path is in them.
    static func fault(_ deed: String) -> BlobError {
        let number = errno
        if number == ENOSPC || number == EDQUOT { return .unavailable("the disk is full (\(deed))") }
        return .unavailable("\(deed) failed: \(String(cString: strerror(number)))")
    }
}

/// A file that is being read, a piece at a time; closed when it is forgotten.
final class LocalBlobSource: Sendable {
    /// Of the whole file.
    let size: Int
    private let descriptor: Int32
    private let rest: Mutex<Range<Int>>

    private static let piece = 128 << 10

    init(_ path: String, range: Range<Int>?) throws(BlobError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw errno == ENOENT ? .missing : LocalBlobFile.fault("opening a file") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LocalBlobFile.fault("looking at a file") }
        size = Int(status.st_size)
        rest = Mutex((range ?? 0..<size).clamped(to: 0..<size))
    }

    deinit { close(descriptor) }

    /// The next piece; nil at the end.
    func next() throws -> ByteBuffer? {
        let range = rest.withLock { rest in
            let range = rest.prefix(Self.piece)
            rest = range.endIndex..<rest.upperBound
            return range.startIndex..<range.endIndex
        }
        guard !range.isEmpty else { return nil }
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        while buffer.readableBytes < range.count {
            let offset = range.lowerBound + buffer.readableBytes
            let wanted = range.upperBound - offset
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { space in
                max(0, pread(descriptor, space.baseAddress, wanted, off_t(offset)))
            }
            guard got > 0 else { throw LocalBlobFile.fault("reading") }
        }
        return buffer
    }
}
