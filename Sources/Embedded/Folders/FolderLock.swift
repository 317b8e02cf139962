import Glibc
import Synchronization

/// A file that one process at a time can hold; the kernel lets go of it when the holder ends, however it ends.
final class FolderLock: Sendable {
    private let descriptor: Mutex<Int32>

    private init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { release() }

    /// Takes the lock and writes our process id into it.
    ///
    /// - Throws: ``EmbeddedError/folderInUse(folder:owner:)`` at once when another start holds it, in this process too.
    static func take(_ path: String) throws -> FolderLock {
        let file = try open(path)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            let owner = Folder.text(of: path).flatMap { Int32(Text.trimmed($0)) }
            throw EmbeddedError.folderInUse(folder: Path.parent(path), owner: owner ?? 0)
        }
        let note = "\(getpid())\n"
        guard ftruncate(file, 0) == 0, Glibc.write(file, note, note.utf8.count) > 0 else {
            defer { close(file) }
            throw Folder.trouble("write", path)
        }
        return FolderLock(file)
    }

    /// Waits until nobody holds the lock; what ends later than `limit` is reported.
    ///
    /// - Throws: ``EmbeddedError/leftoversAlive(folder:seconds:)``.
    static func waitUntilFree(_ path: String, seconds: Int) async throws {
        let file = try open(path)
        defer { close(file) }
        let isFree = try await Condition.holds(within: .seconds(seconds)) {
            try Task.checkCancellation()
            return flock(file, LOCK_EX | LOCK_NB) == 0
        }
        guard isFree else { throw EmbeddedError.leftoversAlive(folder: Path.parent(path), seconds: seconds) }
    }

    /// Lets go of it; a second time does nothing.
    func release() {
        descriptor.withLock { file in
            if file >= 0 { Self.close(file) }
            file = -1
        }
    }

    // Unlocked first: a child that is just being forked holds a copy of the descriptor until its exec.
    private static func close(_ file: Int32) {
        flock(file, LOCK_UN)
        Glibc.close(file)
    }

    private static func open(_ path: String) throws -> Int32 {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Folder.trouble("open", path) }
        return file
    }
}
