import FoundationEssentials
import Logging

/// A private folder (mode 700) for one run of a tool: a copy of the file, a script, and what the tool prints.
struct WorkFolder {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "groundcrew-text-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        path = folder.path
    }

    /// A copy, never a link: whatever a tool does to it, the original stays as it was.
    func copy(_ original: String, as name: String) throws {
        try FileManager.default.copyItem(atPath: original, toPath: "\(path)/\(name)")
    }

    func write(_ bytes: [UInt8], as name: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    }

    /// What was printed into a file of the folder; empty where there is no such file, or the tool put a link in its place.
    func read(_ name: String, limit: Int) -> [UInt8] {
        guard let file = LocalFile("\(path)/\(name)", sole: true) else { return [] }
        return file.bytes(at: 0, count: limit)
    }

    func remove(_ logger: Logger) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            logger.warning("a temporary folder stays behind", metadata: ["folder": "\(path)", "error": "\(error)"])
        }
    }
}
