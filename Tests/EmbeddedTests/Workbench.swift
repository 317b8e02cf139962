import Embedded
import Foundation
import Logging
import Subprocess
import TestSupport
import Testing

/// A folder for one test, removed at its end, and the programs a person would use to look at the servers.
struct Workbench {
    let folder: String
    let logger = Logger(label: "embedded-tests")

    /// Runs `body` with a fresh folder.
    static func with(_ body: (Workbench) async throws -> Void) async throws {
        let folder = "/tmp/gce-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o711]
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(Workbench(folder: folder))
    }

    /// Runs `body` with a Postgres in this folder and stops it afterwards, whatever happens.
    ///
    /// Without a name it is the one that stands ready: making a cluster is a second's work.
    func postgres(
        _ durability: Durability = .throwaway,
        in name: String? = nil,
        _ body: (PrivatePostgres) async throws -> Void
    ) async throws {
        let place = if let name { folder + "/" + name } else { try await Self.standing.value }
        let server = try await PrivatePostgres.start(
            directory: place,
            durability: durability,
            logger: logger
        )
        do { try await body(server) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// Runs `body` with a Redis in this folder and stops it afterwards, whatever happens.
    func redis(
        _ durability: Durability = .throwaway,
        in name: String = "r",
        empty: Bool = false,
        _ body: (PrivateRedis) async throws -> Void
    ) async throws {
        let server = try await PrivateRedis.start(
            directory: folder + "/" + name,
            durability: durability,
            empty: empty,
            doomedFolder: folder,
            logger: logger
        )
        do { try await body(server) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    // One for the whole process; it lies in the shared test stack's folder, and goes with it.
    static let standing = Task {
        let place = try await TestStack.shared().folder + "/standing"
        let server = try await PrivatePostgres.start(
            directory: place,
            durability: .throwaway,
            logger: Logger(label: "embedded-tests")
        )
        await server.stop()
        return place
    }

    /// What `psql` prints for `statement`.
    static func psql(_ url: String, _ statement: String) async throws -> String {
        try await run(["psql", url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement])
    }

    /// What `redis-cli` prints for a command.
    static func redisCLI(_ redis: PrivateRedis, _ words: String...) async throws -> String {
        try await run(["redis-cli", "-s", redis.socket] + words)
    }

    /// Runs a program and returns what it printed, without the last line break.
    static func run(_ words: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .name(words[0]),
            arguments: Arguments(Array(words.dropFirst())),
            output: .string(limit: 100_000),
            error: .combinedWithOutput
        )
        let output = result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
        guard result.terminationStatus.isSuccess else { throw ProgramFailed(description: "\(words): \(output)") }
        return output
    }

    /// Whether a process lives; one that has ended and waits for its parent to notice does not.
    static func isAlive(_ processID: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8) else { return false }
        return !stat.contains(") Z ")
    }
}

struct ProgramFailed: Error, CustomStringConvertible {
    let description: String
}

extension PrivatePostgres {
    /// Asks through `psql` and compares what it prints.
    nonisolated func expect(
        _ statement: String,
        gives answer: String,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let printed = try await Workbench.psql(url, statement)
        #expect(printed == answer, sourceLocation: location)
    }
}

extension PrivateRedis {
    /// Asks through `redis-cli` and compares what it prints.
    nonisolated func expect(
        _ words: String...,
        gives answer: String,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let printed = try await Workbench.run(["redis-cli", "-s", socket] + words)
        #expect(printed == answer, sourceLocation: location)
    }
}
