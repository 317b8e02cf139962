import FoundationEssentials
import Glibc

/// Files that hold secrets: nobody but their owner can read them at any moment.
enum PrivateFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Writes beside the file and renames, so that a reader sees the old content or the new one.
    ///
    /// - Throws: ``Failure`` with the path and the system's words.
    static func write(_ text: String, to path: String) throws {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(draft) }
        let bytes = Array(text.utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        guard close(descriptor) == 0, written == bytes.count, rename(draft, path) == 0 else { throw failure(draft) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(description: "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }

    /// The text in a file; `make` writes it where there is none yet.
    static func read(_ path: String, orMake make: () -> String) throws -> String {
        if let text = try? String(contentsOf: URL(filePath: path), encoding: .utf8) { return text.trimmed }
        let text = make()
        try write(text + "\n", to: path)
        return text
    }
}
