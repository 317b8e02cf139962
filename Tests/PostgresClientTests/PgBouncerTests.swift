import Embedded
import Foundation
import Logging
import PostgresClient
import TestSupport
import Testing

/// Transaction mode hands each transaction any server connection, so nothing may depend on a session.
@Suite(
    "Through PgBouncer in transaction mode",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/sbin/pgbouncer"), "pgbouncer is not installed")
)
struct PgBouncerTests {
    @Test("Queries, pipelines, transactions and errors work over two shared server connections")
    func works() async throws {
        let stack = try await TestStack.shared()
        let direct = try await stack.freshDatabase()
        let straight = Postgres(try PostgresConfiguration(url: direct, size: 1), logger: Logger(label: "test"))
        let names = try await straight.query("SELECT current_database(), current_user").first
        let (name, user) = try #require(names).decode(String.self, String.self)
        straight.close()
        let host = try #require(direct.split(separator: "host=").last.map(String.init))
        let folder = "/tmp/gcb-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try """
        [databases]
        \(name) = host=\(host) user=\(user)
        [pgbouncer]
        unix_socket_dir = \(folder)
        listen_port = 6432
        auth_type = any
        pool_mode = transaction
        default_pool_size = 2
        logfile = \(folder)/log
        """.write(toFile: folder + "/ini", atomically: true, encoding: .utf8)
        let bouncer = Process()
        bouncer.executableURL = URL(filePath: getuid() == 0 ? "/usr/bin/setpriv" : "/usr/sbin/pgbouncer")
        let asPostgres = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", "/usr/sbin/pgbouncer"]
        bouncer.arguments = (getuid() == 0 ? asPostgres : []) + ["-q", folder + "/ini"]
        bouncer.standardOutput = FileHandle.nullDevice
        bouncer.standardError = FileHandle.nullDevice
        try bouncer.run()
        defer { kill(bouncer.processIdentifier, SIGKILL) }
        try await eventually(within: .seconds(10), "PgBouncer's socket") {
            FileManager.default.fileExists(atPath: folder + "/.s.PGSQL.6432")
        }
        let url = "postgresql://\(user)@/\(name)?host=\(folder)&port=6432"
        let postgres = Postgres(try PostgresConfiguration(url: url, size: 8), logger: Logger(label: "test"))
        _ = try await postgres.query("CREATE TABLE t (id int PRIMARY KEY)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    try await postgres.transaction { transaction in
                        _ = try await transaction.query("INSERT INTO t VALUES (\(number))")
                        _ = try await transaction.pipeline(["SELECT \(number)::int", "SELECT count(*) FROM t"])
                    }
                }
            }
            try await group.waitForAll()
        }
        await #expect(throws: PostgresError.self) {
            _ = try await postgres.pipeline(["INSERT INTO t VALUES (99)", "INSERT INTO t VALUES (1)"])
        }
        #expect(try await postgres.query("SELECT count(*) FROM t").number() == 40)
        try await walls(postgres)
        postgres.close()
    }

    /// A wall goes with its own transactions, whichever server connection they get.
    private func walls(_ postgres: Postgres) async throws {
        let who: SQL = "SELECT current_user = 'pg_monitor', coalesce(current_setting('test.tenant', true), '')"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    guard number.isMultiple(of: 2) else {
                        let (isGuest, tenant) = try #require(await postgres.query(who).first).decode(
                            Bool.self,
                            String.self
                        )
                        #expect(!isGuest && tenant.isEmpty)
                        return
                    }
                    try await postgres.behindWall(role: "pg_monitor", setting: "test.tenant", value: "\(number)") {
                        let rows = [
                            try await postgres.query(who).first,
                            try await postgres.transaction { try await $0.query(who).first },
                        ]
                        for row in rows {
                            let (isGuest, tenant) = try #require(row).decode(Bool.self, String.self)
                            #expect(isGuest && tenant == "\(number)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
