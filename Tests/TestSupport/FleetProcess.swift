import Foundation

/// One running process of the real binary. Killed when it is forgotten.
package final class FleetProcess: Sendable {
    private let process: ChildProcess

    /// - Parameters:
    ///   - environment: the whole of it; `GC_BINARY` in it names another binary than the debug build's, and
    ///     `GC_TEST_VERBOSE` shows what the process says.
    ///   - log: a file to append everything it says to.
    package init(_ arguments: [String], _ environment: [String: String], log: String? = nil) throws {
        let file = try log.map(Self.appending)
        let silent = environment["GC_TEST_VERBOSE"] == nil
        process = try ChildProcess(
            Self.binary(environment),
            arguments,
            environment: environment,
            output: file ?? FileHandle.nullDevice,
            errors: file ?? (silent ? FileHandle.nullDevice : FileHandle.standardError)
        )
        try file?.close()
    }

    /// Runs a short command of the binary to its end, and reads what it prints.
    package static func run(_ arguments: [String], _ environment: [String: String]) throws -> ChildProcess.End {
        try ChildProcess.run(binary(environment), arguments, environment: environment)
    }

    package var isRunning: Bool { process.isRunning }
    package var id: Int { process.id }

    package func signal(_ signal: Int32) { process.signal(signal) }

    /// Waits for the end and returns the exit code.
    package func end(within limit: Duration) async throws -> Int32 {
        try await eventually(within: limit, "the end of a process") { !process.isRunning }
        return process.status
    }

    /// Asks it to end, and kills it where it has not after ten seconds.
    package func stop() async throws {
        guard process.isRunning else { return }
        signal(SIGCONT)
        signal(SIGTERM)
        if (try? await end(within: .seconds(10))) == nil { signal(SIGKILL) }
    }

    private static func binary(_ environment: [String: String]) -> String { environment["GC_BINARY"] ?? debugBuild }

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
