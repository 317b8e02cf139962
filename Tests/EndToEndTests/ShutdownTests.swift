import Foundation
import PostgresClient
import Queue
import TestSupport
import Testing

@Suite("Processes end well", .serialized)
struct ShutdownTests {
    private func probe(_ key: String, milliseconds: Int, poison: Bool = false) -> NewJob {
        let payload = #"{"key":"\#(key)","milliseconds":\#(milliseconds),"poison":\#(poison)}"#
        return NewJob(kind: "test.probe", queue: "maint", tenant: "t", payload: payload)
    }

    @Test("SIGTERM: short jobs finish, long ones go back unspent, and the exit code is 0")
    func drain() async throws {
        let fleet = try await FleetUnderTest(extra: ["GC_DRAIN_SECONDS": "1"]).withEffects()
        let scheduler = try fleet.start("scheduler")
        let worker = try fleet.start("worker")
        try await fleet.world.queue.enqueue([probe("short", milliseconds: 300), probe("long", milliseconds: 60_000)])
        try await eventually(within: .seconds(15), "both jobs to run") {
            try await fleet.world.count("state = 'running'") == 2
        }
        worker.signal(SIGTERM)
        #expect(try await worker.end(within: .seconds(10)) == 0)
        #expect(try await fleet.world.count("state = 'done' AND payload->>'key' = 'short'") == 1)
        let handedBack: SQL = "state = 'queued' AND failures = 0 AND losses = 0 AND payload->>'key' = 'long'"
        #expect(try await fleet.world.count(handedBack) == 1)
        let heir = try fleet.start("worker")
        try await eventually(within: .seconds(10), "the heir") {
            try await fleet.world.count("state = 'running' AND payload->>'key' = 'long'") == 1
        }
        for process in [heir, scheduler] { process.signal(SIGKILL) }
        await fleet.close()
    }

    @Test("A job that kills its worker is dead after exactly three kills, and the others are done")
    func poison() async throws {
        let fleet = try await FleetUnderTest(lease: 1).withEffects()
        let scheduler = try fleet.start("scheduler")
        try await fleet.world.queue.enqueue(
            (0..<20).map { probe("good-\($0)", milliseconds: 10) } + [probe("bad", milliseconds: 0, poison: true)]
        )
        var kills = 0
        var worker = try fleet.start("worker")
        try await eventually(within: .seconds(60), "the poison to be dead and the rest done") {
            if !worker.isRunning {
                kills += 1
                worker = try fleet.start("worker")
            }
            let dead = try await fleet.world.count("state = 'dead' AND dead_reason = 'poison'")
            let done = try await fleet.world.count("state = 'done'")
            return dead == 1 && done == 20
        }
        #expect(kills == 3)
        for process in [worker, scheduler] { try await process.stop() }
        await fleet.close()
    }

    @Test("An unknown kind and an unreadable payload go back unspent and never hurt the worker")
    func unreadable() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        let processes = [try fleet.start("scheduler"), try fleet.start("worker")]
        try await fleet.world.queue.enqueue([
            NewJob(kind: "from.the.future", queue: "maint"),
            NewJob(kind: "test.probe", queue: "maint", payload: #"{"key":5}"#),
            probe("fine", milliseconds: 0),
        ])
        try await eventually(within: .seconds(15), "the readable job, and the others put back") {
            let done = try await fleet.world.count("state = 'done'")
            let back = try await fleet.world.count(
                "attempt >= 1 AND failures = 0 AND error IS NOT NULL AND state = 'queued'"
            )
            return done == 1 && back == 2
        }
        #expect(processes.map(\.isRunning) == [true, true])
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test("A wrong address says which setting it is and what to do, and never shows the password")
    func wrongSettings() throws {
        let cases: [([String: String], String)] = [
            (
                ["DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"],
                "DATABASE_URL"
            ),
            (["DATABASE_URL": "nonsense s3cret", "REDIS_URL": "redis://127.0.0.1:1"], "DATABASE_URL"),
            (["DATABASE_URL": "postgresql://u@127.0.0.1:1/x", "REDIS_URL": "http://:s3cret@x"], "REDIS_URL"),
            (["REDIS_URL": "redis://127.0.0.1:1"], "DATABASE_URL"),
        ]
        for (settings, name) in cases {
            let process = Process()
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            process.executableURL = root.appending(path: ".build/debug/groundcrew")
            process.arguments = ["worker"]
            process.environment = settings
            let pipe = Pipe()
            process.standardError = pipe
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus != 0)
            #expect(text.contains(name), "\(text)")
            #expect(!text.contains("s3cret"))
        }
    }
}
