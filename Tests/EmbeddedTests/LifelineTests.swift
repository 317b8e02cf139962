import Embedded
import Foundation
import Subprocess
import TestSupport
import Testing

@Suite("The lifeline") struct LifelineTests {
    @Test("When the parent is killed with -9, the server is stopped and its folder removed")
    func parentKilled() async throws {
        try await Workbench.with { bench in
            let family = try await family(in: bench, stopSignal: "TERM", program: "exec sleep 1000")
            kill(family.parent, SIGKILL)
            try await eventually(within: .seconds(5), "the end of the server") { !Workbench.isAlive(family.server) }
            try await eventually(within: .seconds(5), "the end of its folder") {
                !FileManager.default.fileExists(atPath: bench.folder + "/doomed")
            }
        }
    }

    @Test("A server that ignores the graceful stop is killed after the grace")
    func deafServer() async throws {
        try await Workbench.with { bench in
            let family = try await family(
                in: bench,
                stopSignal: "TERM",
                program: "trap '' TERM; while :; do sleep 0.1; done"
            )
            kill(family.parent, SIGKILL)
            try await eventually(within: .seconds(10), "the end of the server") { !Workbench.isAlive(family.server) }
        }
    }

    @Test("When the shell between them is killed, the server is stopped all the same")
    func shellKilled() async throws {
        try await Workbench.with { bench in
            try await bench.redis { server in
                let processID = await server.processID
                let shell = try #require(parent(of: processID))
                kill(shell, SIGKILL)
                try await eventually(within: .seconds(5), "the end of the server") { !Workbench.isAlive(processID) }
                try await eventually(within: .seconds(5), "the news of it") { await server.processID == 0 }
                try await server.restart()
                try await server.expect("PING", gives: "PONG")
            }
        }
    }

    @Test("Servers stand in a session of their own, so Ctrl-C does not reach them, and see none of our environment")
    func ownSession() async throws {
        try await Workbench.with { bench in
            try await bench.redis { server in
                let processID = await server.processID
                #expect(getsid(processID) != getsid(0))
                #expect(getpgid(processID) != getpgid(0))
                let environment = try String(contentsOfFile: "/proc/\(processID)/environ", encoding: .utf8)
                let names = environment.split(separator: "\0").compactMap { $0.split(separator: "=").first }
                #expect(Set(names).isSubset(of: ["PATH", "LC_ALL", "TZ", "PWD", "OLDPWD"]))
            }
        }
    }

    @Test("No server holds the lifeline of another, and none holds a pipe of ours")
    func noLeak() async throws {
        try await Workbench.with { bench in
            try await bench.redis(in: "one") { first in
                try await bench.redis(in: "two") { second in
                    for server in [first, second] {
                        let pipes = try await Workbench.run(["sh", "-c", "ls -l /proc/\(server.processID)/fd"])
                            .split(separator: "\n")
                            .filter { $0.contains("pipe:") }
                        let redisOwn = pipes.count
                        // Redis opens one pipe for its module threads: two ends of its own, nothing inherited.
                        #expect(redisOwn <= 2)
                    }
                    let secondID = await second.processID
                    await first.kill()
                    #expect(Workbench.isAlive(secondID))
                }
            }
        }
    }

    @Test("A second start waits for remains of the first one, and says when they do not end")
    func busyLock() async throws {
        try await Workbench.with { bench in
            let lock = bench.folder + "/server.lock"
            let line = Lifeline(
                command: ["true"],
                stopSignal: "TERM",
                graceSeconds: 1,
                lockFile: lock,
                logFile: bench.folder + "/log",
                doomedFolder: nil
            )
            let script = "exec 9>\(lock); flock 9; shift; sh \"$@\" </dev/null 9>&-; exit $?"
            let result = try await Subprocess.run(
                .name("sh"),
                arguments: Arguments(["-c", script, "sh", "-"] + line.arguments),
                output: .string(limit: 1000)
            )
            #expect(result.standardOutput == "busy\n")
            #expect(result.terminationStatus == .exited(75))
        }
    }

    /// A process that holds the only write end of a lifeline, and the server at the other end.
    private struct Family {
        let parent: Int32
        let server: Int32
    }

    private func family(in bench: Workbench, stopSignal: String, program: String) async throws -> Family {
        let doomed = bench.folder + "/doomed"
        try FileManager.default.createDirectory(atPath: doomed, withIntermediateDirectories: false)
        let line = Lifeline(
            command: ["sh", "-c", program],
            stopSignal: stopSignal,
            graceSeconds: 1,
            lockFile: doomed + "/server.lock",
            logFile: doomed + "/log",
            doomedFolder: doomed
        )
        // The left side of the pipe plays the parent: it holds the lifeline and does nothing else.
        let script = """
            ( sh -c 'echo $$ > \(bench.folder)/parent; exec sleep 1000' \
              | setsid sh "$@" > \(bench.folder)/server ) >/dev/null 2>&1 </dev/null &
            """
        _ = try await Workbench.run(["sh", "-c", script, "sh"] + line.arguments)
        func number(_ name: String) -> Int32? {
            let text = try? String(contentsOfFile: bench.folder + "/" + name, encoding: .utf8)
            return text?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) }
        }
        try await eventually(within: .seconds(5), "both processes") {
            number("parent") != nil && number("server") != nil
        }
        return Family(parent: try #require(number("parent")), server: try #require(number("server")))
    }

    private func parent(of processID: Int32) -> Int32? {
        let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
        return stat?.split(separator: ")").last?.split(separator: " ").dropFirst().first.flatMap { Int32($0) }
    }
}
