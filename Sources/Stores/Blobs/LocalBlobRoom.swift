import Glibc

/// How much the file system of a folder can still take.
package struct LocalBlobRoom: Sendable, Equatable {
    /// Bytes that this process may still write.
    package let free: Int
    /// Bytes that it could hold in all.
    package let total: Int

    /// Next to nothing can be stored any more: less than 1 % or 100 MiB is left, whichever is less.
    package var isFull: Bool { free < min(total / 100, 100 << 20) }

    /// Less than a tenth is left, and less than 10 GiB.
    package var isLow: Bool { free < min(total / 10, 10 << 30) }
}

extension LocalBlobs {
    /// Looks at the file system (statvfs(3)).
    ///
    /// - Throws: ``BlobError/unavailable(_:)`` where the folder cannot be reached.
    package func room() throws(BlobError) -> LocalBlobRoom {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw LocalBlobFile.fault("looking at the folder") }
        let block = Int(status.f_frsize)
        return LocalBlobRoom(free: Int(status.f_bavail) * block, total: Int(status.f_blocks) * block)
    }
}
