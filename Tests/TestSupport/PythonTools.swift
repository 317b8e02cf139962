package import Foundation

/// Python packages that tests are held against: Stripe's own library, and localstripe. Made once by
/// scripts/test-venv.sh.
package enum PythonTools {
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().standardizedFileURL

    /// The interpreter of the virtual environment; nil where it cannot be made, and standard error says loudly why.
    package static let python: String? = {
        let script = root.appending(path: "scripts/test-venv.sh").path
        let made = try? ChildProcess.run("/bin/bash", [script], errors: .standardError)
        guard let made, made.status == 0 else {
            FileHandle.standardError.write(
                Data("STRIPE TESTS ARE LEFT OUT: scripts/test-venv.sh failed; is PyPI reachable?\n".utf8)
            )
            return nil
        }
        return made.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }()
}
