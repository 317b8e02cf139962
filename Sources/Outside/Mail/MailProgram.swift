import Domain
import FoundationEssentials
import Subprocess

/// Runs a program that takes mail, with nothing of our own environment but what it needs.
enum MailProgram {
    struct Ending {
        /// Nil where a signal ended it.
        let code: Int32?
        let output: String
        /// The last line of what it complained of, at most 500 characters.
        let complaint: String
    }

    /// - Throws: ``MailFault/later(_:)`` where the program cannot be run at all.
    static func run(_ program: String, _ arguments: [String], input: [UInt8]) async throws(MailFault) -> Ending {
        do {
            let result = try await Subprocess.run(
                .name("env"),
                arguments: Arguments([program] + arguments),
                environment: .custom(environment),
                input: .array(input),
                output: .string(limit: 4096),
                error: .string(limit: 65_536)
            )
            let lines = result.standardError.split(whereSeparator: \.isNewline)
            var code: Int32?
            if case .exited(let status) = result.terminationStatus { code = status }
            return Ending(
                code: code,
                output: result.standardOutput,
                complaint: String((lines.last ?? "it said nothing").prefix(500))
            )
        } catch {
            throw .later("\(program) could not be run: \(error)")
        }
    }

    private static let environment: [Environment.Key: String] = {
        var kept: [Environment.Key: String] = [
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8",
        ]
        // Where an operator keeps certificates of their own.
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let value = ProcessInfo.processInfo.environment[name] {
                kept[Environment.Key(stringLiteral: name)] = value
            }
        }
        return kept
    }()
}
