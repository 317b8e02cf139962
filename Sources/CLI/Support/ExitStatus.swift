import ArgumentParser
import Glibc
import PostgresClient
import RedisClient

/// How a command ends. docs/operations.md has the same table, and `groundcrew --help` its short form.
enum ExitStatus: Int32 {
    case done = 0
    /// The answer is no: nothing matched, there is no such thing, the doctor found something bad, the run failed.
    case no = 1
    /// The command line or a setting is wrong, or a dangerous command was not confirmed.
    case usage = 2
    /// Postgres cannot be reached, or is not migrated.
    case unreachable = 3
    /// Anything else.
    case failed = 4

    static let table = """
        EXIT CODES:
          0  done
          1  the answer is no: nothing matched, no such thing, doctor found something bad, the run failed
          2  the command line or a setting is wrong, or a bulk command was not confirmed with --yes
          3  Postgres cannot be reached, or has not been migrated
          4  anything else; standard error says what
        """
}

/// Ends a command with a status. The text says what happened and what to do; empty when it was said already.
struct CommandEnd: Error, CustomStringConvertible {
    let status: ExitStatus
    let description: String

    init(_ status: ExitStatus, _ text: String = "") {
        self.status = status
        description = text
    }

    /// What a name leads to is not there.
    static func missing(_ text: String) -> CommandEnd { CommandEnd(.no, text) }
}

extension Groundcrew {
    /// ArgumentParser's own ending knows only its own status codes.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(error)
        }
    }

    private static func end(_ error: any Error) -> Never {
        switch error {
        case let end as CommandEnd:
            if !end.description.isEmpty { Terminal.complain("Error: \(end.description)") }
            Glibc.exit(end.status.rawValue)
        case let error as SettingError:
            Terminal.complain("Error: \(error)")
            Glibc.exit((error.isUnreachable ? ExitStatus.unreachable : .usage).rawValue)
        case let error as PostgresError where error.code == .invalidURL:
            Terminal.complain("Error: \(error)")
            Glibc.exit(ExitStatus.usage.rawValue)
        case let error as RedisError where error.code == .invalidURL:
            Terminal.complain("Error: \(error)")
            Glibc.exit(ExitStatus.usage.rawValue)
        case let error as PostgresError where error.isUnavailable:
            Terminal.complain("Error: \(error)")
            Glibc.exit(ExitStatus.unreachable.rawValue)
        default:
            finish(error)
        }
    }

    /// Help and version end with 0; what the parser or `validate()` refused with 2.
    private static func finish(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        guard code != .success else { exit(withError: error) }
        Terminal.complain(fullMessage(for: error))
        Glibc.exit((code == .validationFailure ? ExitStatus.usage : .failed).rawValue)
    }
}
