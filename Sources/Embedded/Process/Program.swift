import FoundationEssentials
import Subprocess

/// A helper program that runs to its end, such as `initdb`.
enum Program {
    /// What private servers and their helpers see of the environment: no `PG…` of the user, and none of our secrets.
    static var environment: Environment {
        .custom(["PATH": searchPath.joined(separator: ":"), "LC_ALL": "C.UTF-8", "TZ": "UTC"])
    }

    /// The folders programs are looked for in; a service's `PATH` often lacks the `sbin` ones.
    static var searchPath: [String] {
        let inherited = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = inherited.split(separator: ":").map(String.init)
        return folders + ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"].filter { !folders.contains($0) }
    }

    /// Runs `command` in `/` and returns what it printed (at most 64 KiB).
    ///
    /// - Throws: ``EmbeddedError/programFailed(command:output:)`` with its output when it does not end with 0.
    @discardableResult
    static func run(_ command: [String]) async throws -> String {
        // `env -C /`: a server user that may not enter our working folder would complain about it.
        let result = try await Subprocess.run(
            .name("env"),
            arguments: Arguments(["-C", "/"] + command),
            environment: environment,
            output: .string(limit: 65_536),
            error: .combinedWithOutput
        )
        let output = Text.trimmed(result.standardOutput)
        guard result.terminationStatus.isSuccess else {
            throw EmbeddedError.programFailed(command: command.joined(separator: " "), output: output)
        }
        return output
    }
}
