import Embedded
import Foundation
import TestSupport
import Testing

@Suite("A private Postgres", .serialized) struct PrivatePostgresTests {
    @Test("psql reaches it by its address, no network does, and the database is called groundcrew")
    func answers() async throws {
        try await Workbench.with { bench in
            try await bench.postgres(in: "p") { server in
                try await server.expect("SELECT current_database()", gives: "groundcrew")
                try await server.expect("SHOW server_encoding", gives: "UTF8")
                try await server.expect("SHOW lc_collate", gives: "C.UTF-8")
                #expect(await Workbench.isAlive(server.processID))
                try await server.expect("SHOW listen_addresses", gives: "")
                try await server.expect("SHOW unix_socket_permissions", gives: "0700")
            }
        }
    }

    @Test(
        "Durable means that commits wait for the disk, throwaway that they do not",
        arguments: [(Durability.durable, "on"), (.throwaway, "off")]
    )
    func promises(durability: Durability, setting: String) async throws {
        try await Workbench.with { bench in
            try await bench.postgres(durability) { server in
                for name in ["fsync", "synchronous_commit", "full_page_writes"] {
                    try await server.expect("SHOW \(name)", gives: setting)
                }
            }
        }
    }

    @Test("Rows survive a stop, a restart, a crash and a new start")
    func survives() async throws {
        try await Workbench.with { bench in
            try await bench.postgres(.durable) { server in
                _ = try await Workbench.psql(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
                await server.stop()
                #expect(await server.processID == 0)
                try await server.restart()
                try await server.expect("SELECT answer FROM kept", gives: "42")
                _ = try await Workbench.psql(server.url, "INSERT INTO kept VALUES (43)")
                await server.kill()
                try await server.restart()
                try await server.expect("SELECT max(answer) FROM kept", gives: "43")
                try await server.restart()
            }
            try await bench.postgres(.durable) { server in
                try await server.expect("SELECT count(*) FROM kept", gives: "2")
            }
        }
    }

    @Test("A kill -9 from outside is survived by a restart")
    func killedFromOutside() async throws {
        try await Workbench.with { bench in
            try await bench.postgres(.durable) { server in
                _ = try await Workbench.psql(server.url, "CREATE TABLE killed (answer int)")
                let processID = await server.processID
                kill(processID, SIGKILL)
                try await eventually(within: .seconds(5), "the end of the server") { await server.processID == 0 }
                try await server.restart()
                try await server.expect("SELECT count(*) FROM killed", gives: "0")
                #expect(await server.processID != processID)
            }
        }
    }

    @Test("A postmaster.pid with the number of a living stranger does not prevent the start")
    func stalePID() async throws {
        try await Workbench.with { bench in
            let data = try await Workbench.standing.value + "/data"
            let pidFile = data + "/postmaster.pid"
            try "\(getpid())\n\(data)\n0\n5432\n\n\n\n\n".write(
                toFile: pidFile,
                atomically: false,
                encoding: .utf8
            )
            try await bench.postgres { server in
                try await server.expect("SELECT 1", gives: "1")
            }
        }
    }

    @Test("A second start of the same folder is refused, and the error names folder and owner")
    func secondStart() async throws {
        try await Workbench.with { bench in
            try await bench.postgres { server in
                let error = await #expect(throws: EmbeddedError.self) { try await bench.postgres { _ in } }
                let text = try #require(error).description
                #expect(text.contains(server.place))
                #expect(text.contains("process \(getpid())"))
                try await server.expect("SELECT 1", gives: "1")
                #expect(throws: EmbeddedError.self) { try PrivatePostgres.erase(directory: server.place) }
            }
        }
    }

    @Test("A folder whose path is too long for a socket, or holds a comma, gets its socket elsewhere")
    func longPath() async throws {
        try await Workbench.with { bench in
            for name in [String(repeating: "long-", count: 20), "with, a comma and 100 %"] {
                try await bench.postgres(in: name) { server in
                    #expect(server.place == bench.folder + "/" + name)
                    #expect(server.url.contains("host=/tmp/groundcrew-"))
                    try await server.expect("SELECT 1", gives: "1")
                    try await server.restart()
                    try await server.expect("SELECT 2", gives: "2")
                }
            }
        }
    }

    @Test(
        "As root below a closed folder, the data lie where the server's account can reach them",
        .enabled(if: geteuid() == 0)
    )
    func closedFolder() async throws {
        try await Workbench.with { bench in
            try FileManager.default.createDirectory(
                atPath: bench.folder + "/closed",
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
            var place = ""
            try await bench.postgres(in: "closed/p") { server in
                place = server.place
                #expect(server.place.hasPrefix("/var/tmp/groundcrew-"))
                try await server.expect("CREATE TABLE kept (); SELECT 1", gives: "1")
            }
            try await bench.postgres(in: "closed/p") { server in
                try await server.expect("SELECT count(*) FROM kept", gives: "0")
            }
            #expect(FileManager.default.fileExists(atPath: place))
            try PrivatePostgres.erase(directory: bench.folder + "/closed/p")
            #expect(!FileManager.default.fileExists(atPath: place))
        }
    }

    @Test("A half-made cluster of an interrupted start is thrown away")
    func halfMade() async throws {
        try await Workbench.with { bench in
            let half = bench.folder + "/p/data.new.1"
            try FileManager.default.createDirectory(atPath: half, withIntermediateDirectories: true)
            try "15".write(toFile: half + "/PG_VERSION", atomically: false, encoding: .utf8)
            try await bench.postgres(in: "p") { server in
                try await server.expect("SELECT 1", gives: "1")
                #expect(!FileManager.default.fileExists(atPath: half))
            }
        }
    }

    @Test("A server that cannot start says so at once, with the end of its log")
    func broken() async throws {
        try await Workbench.with { bench in
            let place = try await Workbench.standing.value
            let settings = place + "/data/postgresql.conf"
            let good = try String(contentsOfFile: settings, encoding: .utf8)
            try "no such setting = 1\n".write(toFile: settings, atomically: false, encoding: .utf8)
            let error = await #expect(throws: EmbeddedError.self) { try await bench.postgres { _ in } }
            let text = try #require(error).description
            try good.write(toFile: settings, atomically: false, encoding: .utf8)
            #expect(text.contains(place + "/postgres.log"))
            #expect(text.contains("syntax error"))
        }
    }
}
