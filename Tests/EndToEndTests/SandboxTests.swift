import Foundation
import TestSupport
import Testing

/// Whether this machine lets a process forbid namespaces to itself and its children.
private let mayForbid = (try? ChildProcess.run("/usr/bin/unshare", ["--map-root-user", "true"]).status) == 0

/// The walls around programs that read uploads, on this machine and where namespaces are forbidden, as in many containers.
@Suite(
    "Sandbox of a fleet",
    .serialized,
    .enabled(if: mayForbid, "no namespace can be made here, so none can be forbidden")
)
struct SandboxTests {
    /// A program that runs ours where no process may make a namespace.
    private func walledIn(_ folder: String) throws -> String {
        let script = folder + "/groundcrew"
        let binary = PythonTools.root.appending(path: ".build/debug/groundcrew").path
        let forbid = "for file in /proc/sys/user/max_*_namespaces; do echo 0 > \"$file\"; done; exec \"$@\""
        let text = "#!/bin/sh\nexec unshare --map-root-user sh -c '\(forbid)' sh \(binary) \"$@\"\n"
        try Data(text.utf8).write(to: URL(filePath: script))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        return script
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    /// Exit code and everything it said.
    private func run(_ arguments: [String], _ environment: [String: String]) async throws -> (Int32, String) {
        let log = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: log) }
        let process = try FleetProcess(arguments, environment, log: log.path)
        let status = try await process.end(within: .seconds(60))
        return (status, try String(contentsOf: log, encoding: .utf8))
    }

    @Test("Without namespaces files are read all the same, and not where GC_SANDBOX requires them")
    func extracting() async throws {
        try await withFolder { folder in
            let page = folder + "/page.html"
            try Data("<p>some words".utf8).write(to: URL(filePath: page))
            var environment = ProcessInfo.processInfo.environment
            environment["GC_SANDBOX"] = "require"
            let walled = try await run(["extract", page], environment)
            #expect(walled.0 == 0 && walled.1.contains("some words"), "\(walled)")
            environment["GC_BINARY"] = try walledIn(folder)
            let refused = try await run(["extract", page], environment)
            #expect(refused.0 == 4 && refused.1.contains("GC_SANDBOX=require"), "\(refused)")
            environment["GC_SANDBOX"] = nil
            let read = try await run(["extract", page], environment)
            #expect(read.0 == 0 && read.1.contains("some words"), "\(read)")
            environment["GC_SANDBOX"] = "maybe"
            let wrong = try await run(["extract", page], environment)
            #expect(wrong.0 == 2 && wrong.1.contains("It must be prefer or require"), "\(wrong)")
        }
    }

    @Test("A worker without namespaces says once what is missing, and does not start where GC_SANDBOX requires them")
    func worker() async throws {
        let fleet = try await FleetUnderTest()
        try await withFolder { folder in
            var environment = fleet.environment
            environment["GC_BINARY"] = try walledIn(folder)
            environment["GC_SANDBOX"] = "require"
            let refused = try await run(["worker"], environment)
            #expect(refused.0 == 2 && refused.1.contains("Install bubblewrap"), "\(refused)")
            environment["GC_SANDBOX"] = nil
            let log = folder + "/log"
            let worker = try FleetProcess(["worker"], environment, log: log)
            let warning = "a wall around the programs that read uploads is missing"
            try await eventually(within: .seconds(20), "the worker's warning") {
                try String(contentsOfFile: log, encoding: .utf8).contains(warning)
            }
            try await worker.stop()
            #expect(try String(contentsOfFile: log, encoding: .utf8).components(separatedBy: warning).count == 2)
        }
        await fleet.close()
    }

    @Test("The doctor looks at the walls")
    func doctor() async throws {
        let fleet = try await FleetUnderTest()
        let (_, said) = try await run(["doctor", "--json"], fleet.environment)
        #expect(said.contains(#""check":"sandbox""#), "\(said)")
        await fleet.close()
    }
}
