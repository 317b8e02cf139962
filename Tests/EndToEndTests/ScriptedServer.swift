import Foundation
import TestSupport

/// A server in a python3 of its own. The script gets a folder and a port, writes a line of JSON to `log` there for
/// whatever it is sent, and makes the file when it listens.
final class ScriptedServer: Sendable {
    private let process: ChildProcess
    let folder: URL
    let port = freePort()

    /// A python3 with the packages of scripts/test-venv.sh.
    static let python =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path + "/.tools/test-venv/bin/python3"
    static var hasPackages: Bool { FileManager.default.isExecutableFile(atPath: python) }

    private init(_ script: String, _ arguments: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "scripted-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process = try ChildProcess(Self.python, ["-c", script, folder.path, "\(port)"] + arguments)
    }

    static func start(_ script: String, _ arguments: String...) async throws -> ScriptedServer {
        let server = try ScriptedServer(script, arguments)
        try await eventually(within: .seconds(20), "the scripted server to listen") {
            FileManager.default.fileExists(atPath: server.folder.appending(path: "log").path)
        }
        return server
    }

    func stop() {
        process.signal(SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }

    /// What came so far.
    var log: [[String: String]] {
        let text = (try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n")
            .compactMap { try? JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
    }
}
