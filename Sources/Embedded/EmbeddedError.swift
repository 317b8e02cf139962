/// Why a private server could not be started or asked. Each description says what, where, and what to do.
package enum EmbeddedError: Error, Sendable, CustomStringConvertible {
    /// A program is not installed; `searched` are the folders that were looked at.
    case programMissing(name: String, package: String, searched: [String])
    /// Another live process (`owner`, 0 when it could not be read) uses the folder.
    case folderInUse(folder: String, owner: Int32)
    /// A server that nobody here started works on the data.
    case foreignServer(folder: String, processID: Int32)
    /// Remains of an earlier start did not end in time.
    case leftoversAlive(folder: String, seconds: Int)
    /// A file operation failed; `reason` is the system's own text.
    case fileTrouble(operation: String, path: String, reason: String)
    /// A helper program such as `initdb` ended badly.
    case programFailed(command: String, output: String)
    /// The server ended before it answered, or ended while it was needed.
    case serverEnded(name: String, logFile: String, lastWords: String)
    /// The server lives but did not answer within the wait.
    case notReady(name: String, logFile: String, seconds: Int)

    /// One or two sentences for a person at a terminal.
    package var description: String {
        switch self {
        case .programMissing(let name, let package, let searched):
            "The program `\(name)` is not installed (looked in \(searched.joined(separator: ", "))). "
                + "Run `apt-get install \(package)`, or `make setup`."
        case .folderInUse(let folder, let owner):
            "The folder \(folder) is in use by \(owner > 0 ? "process \(owner)" : "another process"). "
                + "Stop that one first, or choose another folder."
        case .foreignServer(let folder, let processID):
            "A server that was started by hand (process \(processID)) works on \(folder). Stop it, or choose another folder."
        case .leftoversAlive(let folder, let seconds):
            "Servers of an earlier start still hold \(folder) after \(seconds) s. "
                + "Find them with `fuser \(folder)/server.lock` and end them."
        case .fileTrouble(let operation, let path, let reason):
            "Cannot \(operation) \(path): \(reason). Check the rights and the free space, or choose another folder."
        case .programFailed(let command, let output):
            "`\(command)` failed: \(output)"
        case .serverEnded(let name, let logFile, let lastWords):
            "\(name) ended before it could be used. Its log, \(logFile), ends with: \(lastWords)"
        case .notReady(let name, let logFile, let seconds):
            "\(name) did not answer within \(seconds) s. Look into its log, \(logFile)."
        }
    }
}
