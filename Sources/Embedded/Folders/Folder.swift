import FoundationEssentials
import Glibc

/// What is done to folders and small files, with errors that name the path.
enum Folder {
    /// Makes `path` with all its parents; those made here can be passed through by everybody (711), what is in them not.
    static func make(_ path: String) throws {
        if FileManager.default.fileExists(atPath: path) { return }
        if path != "/" { try make(Path.parent(path)) }
        guard mkdir(path, 0o711) == 0 || errno == EEXIST else { throw trouble("make the folder", path) }
        // The umask may have closed it.
        guard chmod(path, 0o711) == 0 else { throw trouble("open the folder", path) }
    }

    /// Makes `path` for `user` alone (700). An existing one must be a folder of his, so that nobody can lay a trap in /tmp.
    static func makePrivate(_ path: String, for user: ServerUser) throws {
        if mkdir(path, 0o700) == 0 {
            guard !user.isLent || chown(path, user.userID, user.groupID) == 0 else { throw trouble("hand over", path) }
            return
        }
        guard errno == EEXIST else { throw trouble("make the folder", path) }
        guard let inode = Inode(path), inode.isFolder, inode.owner == user.userID else {
            throw EmbeddedError.fileTrouble(
                operation: "use",
                path: path,
                reason: "it exists and belongs to somebody else"
            )
        }
    }

    /// Removes `path` and all in it; a missing one is fine.
    static func remove(_ path: String) throws {
        guard Inode(path) != nil else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw EmbeddedError.fileTrouble(operation: "remove", path: path, reason: "\(error)")
        }
    }

    /// Removes an empty folder and leaves any other alone.
    static func removeIfEmpty(_ path: String) { rmdir(path) }

    static func rename(_ old: String, to new: String) throws {
        guard Glibc.rename(old, new) == 0 else { throw trouble("rename to \(new) the folder", old) }
    }

    /// The names in `path`, none when it cannot be read.
    static func names(in path: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    }

    /// The text of a small file, nil when there is none.
    static func text(of path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    static func write(_ text: String, to path: String) throws {
        do { try Data(text.utf8).write(to: URL(filePath: path)) } catch {
            throw EmbeddedError.fileTrouble(operation: "write", path: path, reason: "\(error)")
        }
    }

    /// The error of the system call that has just failed.
    static func trouble(_ operation: String, _ path: String) -> EmbeddedError {
        .fileTrouble(operation: operation, path: path, reason: String(cString: strerror(errno)))
    }
}
