import Glibc

/// A regular file that is only read.
final class LocalFile: ByteSource {
    private let descriptor: Int32
    let size: Int

    /// - Parameter sole: refuse symbolic links and files with a second name, where a stranger could have put one.
    /// - Returns: nil where there is no such regular file.
    init?(_ path: String, sole: Bool = false) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (sole ? O_NOFOLLOW : 0))
        guard descriptor >= 0 else { return nil }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, !sole || facts.st_nlink == 1 else {
            close(descriptor)
            return nil
        }
        size = Int(facts.st_size)
    }

    deinit { close(descriptor) }

    func bytes(at offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, count > 0, offset < size else { return [] }
        let wanted = min(count, size - offset)
        return [UInt8](unsafeUninitializedCapacity: wanted) { buffer, done in
            // Safe: the buffer has room for `wanted` bytes and outlives the call.
            while done < wanted, let start = buffer.baseAddress {
                let read = pread(descriptor, start + done, wanted - done, off_t(offset + done))
                guard read > 0 else { return }
                done += read
            }
        }
    }
}
