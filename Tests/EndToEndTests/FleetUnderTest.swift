import Domain
import Embedded
import Foundation
import PostgresClient
import Queue
import RedisClient
import Stores
import TestSupport

/// The real binary as real processes, on a database and a Redis of their own.
final class FleetUnderTest: Sendable {
    let world: World
    let redis: PrivateRedis
    let environment: [String: String]

    /// - Parameters:
    ///   - lease: seconds; short, so that a test need not wait ten.
    ///   - extra: further settings, such as a seeded bug.
    init(lease: Int = 2, extra: [String: String] = [:], databaseURL: String? = nil) async throws {
        redis = try await TestStack.shared().dedicatedRedis()
        world = try await World.fresh(queues: Self.queues, redisURL: redis.url)
        var environment = ProcessInfo.processInfo.environment
        environment["DATABASE_URL"] = databaseURL ?? world.databaseURL
        environment["REDIS_URL"] = redis.url
        environment["GC_NAMESPACE"] = world.namespace
        environment["GC_LEASE_SECONDS"] = String(lease)
        environment["GC_LOG_LEVEL"] = "warning"
        environment["GC_SIMULATE"] = "1"
        environment["GC_OBSERVER"] = "heuristic"
        environment["GC_TEST_HOOKS"] = "1"
        for tier in ["ENGINE", "API", "READ"] { environment["GC_RATE_\(tier)"] = "1000000/60" }
        self.environment = environment.merging(extra) { $1 }
    }

    /// As `QueueName` has them; the binary's own list is not an arrow of this floor.
    private static let queues = [
        "crew", "project", "plan", "fetch", "export", "index", "webhook", "stripe", "email", "maint",
    ]

    /// Starts one process of the binary.
    ///
    /// - Parameter log: a file to append everything it says to.
    func start(_ arguments: String..., extra: [String: String] = [:], log: String? = nil) throws -> FleetProcess {
        try FleetProcess(arguments, environment.merging(extra) { $1 }, log: log)
    }

    /// With the table that `test.probe` writes into. It has no constraint: a double commit must be seen, not prevented.
    func withEffects() async throws -> FleetUnderTest {
        _ = try await world.postgres.query("CREATE TABLE probe_effects (key text, job bigint, attempt int)")
        return self
    }

    /// Its schema and every row, as SQL.
    func databaseDump() throws -> String {
        let version = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").sorted().last ?? "15"
        let program = "/usr/lib/postgresql/\(version)/bin/pg_dump"
        return try ChildProcess.run(program, ["--dbname", world.databaseURL], errors: .standardError).text
    }

    func close() async {
        await world.close()
        await redis.stop()
    }
}

/// A TCP port that was free a moment ago.
func freePort() -> Int {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            _ = bind(socket, generic, length)
            _ = getsockname(socket, generic, &length)
        }
    }
    return Int(UInt16(bigEndian: address.sin_port))
}
