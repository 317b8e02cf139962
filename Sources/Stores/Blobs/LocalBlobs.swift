import Crypto
import Glibc
package import NIOCore
import NIOPosix

/// Objects as files of one folder, which API and workers share: a volume, or one machine (`file:///…`).
///
/// A file is written under a temporary name, synced, renamed, and its folder is synced: a name that exists has all its bytes,
/// also after a power cut.
package struct LocalBlobs: BlobStore {
    let folder: String

    /// - Parameter folder: absolute path; made when it is first written to.
    package init(folder: String) {
        self.folder = folder
    }

    package func put<Parts: AsyncSequence & Sendable>(_ parts: Parts, as key: String) async throws -> BlobDigest
    where Parts.Element == ByteBuffer {
        let path = try path(key)
        let file = try await Self.onDisk { try LocalBlobFile(creating: path) }
        var hash = SHA256()
        var size = 0
        do {
            for try await part in parts {
                part.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
                size += part.readableBytes
                try await Self.onDisk { try file.write(part) }
            }
            try Task.checkCancellation()
            try await Self.onDisk { try file.publish() }
        } catch {
            // At once, on this thread: a cancelled task may not wait for another.
            file.discard()
            throw error
        }
        return BlobDigest(size: size, sha256: Array(hash.finalize()))
    }

    package func read(_ key: String, range: Range<Int>?) async throws -> BlobReading {
        let path = try path(key)
        let source = try await Self.onDisk { try LocalBlobSource(path, range: range) }
        return BlobReading(
            size: source.size,
            parts: AsyncThrowingStream(unfolding: { try await Self.onDisk { try source.next() } })
        )
    }

    package func withFile<Result: Sendable>(
        _ key: String,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let path = try path(key)
        guard access(path, R_OK) == 0 else { throw BlobError.missing }
        return try await body(path)
    }

    package func remove(_ key: String) async throws {
        let path = try path(key)
        try await Self.onDisk {
            for name in [path, path + LocalBlobFile.unfinished] {
                guard unlink(name) != 0, errno != ENOENT, errno != ENOTDIR else { continue }
                throw LocalBlobFile.fault("removing a file")
            }
        }
    }

    /// Makes the folder, and tries it out.
    ///
    /// - Throws: ``BlobError/unavailable(_:)`` where this process cannot write there.
    package func prepare() throws(BlobError) {
        try LocalBlobFile.makeFolders(folder)
        guard access(folder, R_OK | W_OK | X_OK) == 0 else { throw LocalBlobFile.fault("opening the folder") }
    }

    private func path(_ key: String) throws(BlobError) -> String {
        guard BlobKey.isKey(key) else { throw .missing }
        return "\(folder)/\(key)"
    }

    /// Files block their thread, so they get threads of their own.
    private static func onDisk<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}
