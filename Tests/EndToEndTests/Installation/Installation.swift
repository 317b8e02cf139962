import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

/// Two API replicas, two workers and a scheduler on a database and a Redis of their own, as the acceptance scenarios
/// have them.
struct Installation: Sendable {
    let fleet: FleetUnderTest
    /// Of the replicas A and B.
    let ports: [Int]
    private let processes: [FleetProcess]
    /// One for each process, the workers' first.
    private let logs: [String]

    /// - Parameter extra: settings besides those that every scenario has.
    static func open(_ extra: [String: String] = [:]) async throws -> Installation {
        let fleet = try await FleetUnderTest(lease: 3, extra: settings.merging(extra) { $1 })
        let ports = [freePort(), freePort()]
        let folder = try await TestStack.shared().folder
        let commands = [["worker"], ["worker"]] + ports.map { ["api", "--port", "\($0)"] } + [["scheduler"]]
        let logs = commands.indices.map { "\(folder)/\(fleet.world.namespace)-\($0).log" }
        let installation = Installation(
            fleet: fleet,
            ports: ports,
            processes: try zip(commands, logs).map { try FleetProcess($0, fleet.environment, log: $1) },
            logs: logs
        )
        try await installation.ready()
        return installation
    }

    private static let settings = [
        // What was cancelled and what was refused is said from here on.
        "GC_LOG_LEVEL": "notice",
        "GC_RATE_COLLECTION": "1000000/60", "GC_RATE_AUTH": "1000000/60",
        "GC_SECRET_KEY": Data(repeating: 7, count: 32).base64EncodedString(),
        "GC_WEBHOOK_SCHEDULE": "0,1,2,4",
    ]

    /// Waits until both replicas answer, know of both workers and have Redis.
    func ready() async throws {
        for port in ports { try await ready(at: port) }
    }

    /// Waits until the replica at this port does.
    func ready(at port: Int) async throws {
        try await eventually(within: .seconds(30), "a replica with two workers and Redis") {
            let health = try? await Caller(port: port, key: "").call("GET", "/api/health")
            return health?.status == 200 && health?.body["workers"] == 2 && health?.body["redis"] == true
        }
    }

    func close() async throws {
        for process in processes { process.signal(SIGTERM) }
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    // MARK: Looking into it

    /// Waits until no job of the tenant is left, so that nothing more can come of what was begun.
    func settled(_ customer: Customer) async throws {
        try await eventually(within: .seconds(30), "the customer's jobs to be over", poll: .milliseconds(20)) {
            try await fleet.world.count("tenant = \(customer.id) AND state IN ('queued','running')") == 0
        }
    }

    /// What the workers have said so far.
    func workersWords() throws -> [String] {
        try logs.prefix(2).flatMap { try words(in: $0).split(separator: "\n").map(String.init) }
    }

    /// What all processes have said so far.
    func words() throws -> String { try logs.map(words(in:)).joined() }

    private func words(in log: String) throws -> String { try String(contentsOfFile: log, encoding: .utf8) }

    /// What a command of the binary prints.
    func output(of arguments: String...) async throws -> String {
        let file = try await TestStack.shared().folder + "/output-\(UUID().uuidString)"
        let command = try FleetProcess(arguments, fleet.environment, log: file)
        #expect(try await command.end(within: .seconds(20)) == 0)
        return try String(contentsOfFile: file, encoding: .utf8)
    }
}
