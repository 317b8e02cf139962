package import Foundation

/// Python packages that tests are held against: Stripe's own library, and localstripe. Made once by
/// scripts/test-venv.sh.
package enum PythonTools {
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().standardizedFileURL

    /// The interpreter of the virtual environment; nil where it cannot be made, and standard error says loudly why.
    package static let python: String? = {
        let script = root.appending(path: "scripts/test-venv.sh").path
        guard let (status, output) = try? run("/bin/bash", [script]), status == 0 else {
            FileHandle.standardError.write(
                Data("STRIPE TESTS ARE LEFT OUT: scripts/test-venv.sh failed; is PyPI reachable?\n".utf8)
            )
            return nil
        }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }()

    /// Runs a program to its end.
    package static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
