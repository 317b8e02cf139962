package import Foundation

/// A program that runs beside a test. Killed when it is forgotten.
package final class ChildProcess: Sendable {
    private let process = Process()

    /// Starts it.
    ///
    /// - Parameters:
    ///   - program: its path; a bare name is looked for in `PATH`.
    ///   - environment: the whole of it; nil is ours.
    ///   - output, errors: where it says what it says; nowhere without them.
    package init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        output: Any = FileHandle.nullDevice,
        errors: Any = FileHandle.nullDevice
    ) throws {
        let isPath = program.contains("/")
        process.executableURL = URL(filePath: isPath ? program : "/usr/bin/env")
        process.arguments = isPath ? arguments : [program] + arguments
        if let environment { process.environment = environment }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    deinit { signal(SIGKILL) }

    package var isRunning: Bool { process.isRunning }
    package var id: Int { Int(process.processIdentifier) }
    /// Once it has ended.
    package var status: Int32 { process.terminationStatus }

    package func signal(_ signal: Int32) { if process.isRunning { kill(process.processIdentifier, signal) } }

    /// What is left of one that has ended.
    package struct End: Sendable {
        package let status: Int32
        package let bytes: Data

        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Runs a program to its end, and reads what it prints.
    ///
    /// - Parameter errors: where it complains; nowhere without it.
    package static func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        errors: FileHandle = .nullDevice
    ) throws -> End {
        let pipe = Pipe()
        let child = try ChildProcess(program, arguments, environment: environment, output: pipe, errors: errors)
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        child.process.waitUntilExit()
        return End(status: child.status, bytes: bytes)
    }
}
