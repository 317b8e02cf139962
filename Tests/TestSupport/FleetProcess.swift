import Foundation

/// One running process of the real binary. Killed when it is forgotten.
package final class FleetProcess: @unchecked Sendable {
    // Safe: Foundation's Process locks itself; nothing else is stored that changes.
    private let process = Process()

    /// - Parameters:
    ///   - environment: the whole of it; `GC_BINARY` in it names another binary than the debug build's, and
    ///     `GC_TEST_VERBOSE` shows what the process says.
    ///   - log: a file to append everything it says to.
    package init(_ arguments: [String], _ environment: [String: String], log: String? = nil) throws {
        process.executableURL = URL(filePath: environment["GC_BINARY"] ?? Self.debugBuild)
        process.arguments = arguments
        process.environment = environment
        let file = try log.map(Self.appending)
        let silent = environment["GC_TEST_VERBOSE"] == nil
        process.standardOutput = file ?? FileHandle.nullDevice
        process.standardError = file ?? (silent ? FileHandle.nullDevice : FileHandle.standardError)
        try process.run()
        try file?.close()
    }

    deinit { signal(SIGKILL) }

    package var isRunning: Bool { process.isRunning }
    package var id: Int { Int(process.processIdentifier) }

    package func signal(_ signal: Int32) { if process.isRunning { kill(process.processIdentifier, signal) } }

    /// Waits for the end and returns the exit code.
    package func end(within limit: Duration) async throws -> Int32 {
        try await eventually(within: limit, "the end of a process") { !process.isRunning }
        return process.terminationStatus
    }

    /// Asks it to end, and kills it where it has not after ten seconds.
    package func stop() async throws {
        guard process.isRunning else { return }
        signal(SIGCONT)
        signal(SIGTERM)
        if (try? await end(within: .seconds(10))) == nil { signal(SIGKILL) }
    }

    private static let debugBuild = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: ".build/debug/groundcrew").path

    private static func appending(to path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        return file
    }
}
