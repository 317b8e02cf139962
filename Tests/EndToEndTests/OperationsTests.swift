import Domain
import Embedded
import Foundation
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

@Suite("Operating a fleet from the command line", .serialized)
struct OperationsTests {
    /// How a command ended.
    private struct Answer {
        let status: Int32
        let out: String
        let complaint: String

        var json: JSON { (try? JSON(parsing: Data(out.utf8))) ?? .null }
    }

    private func groundcrew(_ fleet: FleetUnderTest, _ arguments: String...) async throws -> Answer {
        try await groundcrew(fleet, arguments)
    }

    private func groundcrew(_ fleet: FleetUnderTest, _ arguments: [String]) async throws -> Answer {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(
            filePath: fleet.environment["GC_BINARY"] ?? root.appending(path: ".build/debug/groundcrew").path
        )
        process.arguments = arguments
        process.environment = fleet.environment
        let (out, complaint) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = out
        process.standardError = complaint
        try process.run()
        // Both pipes hold 64 KiB; no answer of these tests is larger, so neither fills up unread.
        try await eventually(within: .seconds(60), "the end of groundcrew \(arguments)") { !process.isRunning }
        return Answer(
            status: process.terminationStatus,
            out: String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            complaint: String(decoding: complaint.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        )
    }

    private func probe(_ key: String, milliseconds: Int = 0) -> NewJob {
        NewJob(
            kind: "test.probe",
            queue: "maint",
            tenant: "t",
            payload: #"{"key":"\#(key)","milliseconds":\#(milliseconds)}"#
        )
    }

    @Test("A provider that is held is listed with its reason; cleared, it is asked again, and clearing twice exits 1")
    func providers() async throws {
        let fleet = try await FleetUnderTest()
        #expect(try await groundcrew(fleet, "providers").out.contains("No provider is held"))
        _ = try await fleet.world.postgres.query(
            "INSERT INTO provider_marks (provider, account, state, reason) VALUES ('openai', '1a2b3c4d', 'down', 'rejected')"
        )
        let table = try await groundcrew(fleet, "providers").out
        #expect(table.contains("1a2b3c4d") && table.contains("groundcrew providers clear"))
        let listed = try await groundcrew(fleet, "providers", "list", "--json").json
        #expect(listed.arrayValue?.first?["state"] == "down" && listed.arrayValue?.first?["until"] == .null)
        #expect(try await groundcrew(fleet, "providers", "clear", "openai").status == 0)
        #expect(try await groundcrew(fleet, "providers", "clear", "openai").status == 1)
        await fleet.close()
    }

    @Test("A running job that is cancelled ends well before its time, usually at once; a waiting one never starts")
    func cancel() async throws {
        let fleet = try await FleetUnderTest(lease: 20).withEffects()
        let processes = [try fleet.start("scheduler"), try fleet.start("worker"), try fleet.start("worker")]
        let long = try await fleet.world.queue.enqueue([probe("long", milliseconds: 50_000)])
        try await eventually(within: .seconds(15), "the job to run") {
            try await fleet.world.count("state = 'running'") == 1
        }
        var later = probe("later")
        later.delay = .seconds(8)
        let waiting = try await fleet.world.queue.enqueue([later])
        #expect(try await groundcrew(fleet, "cancel", String(waiting[0])).status == 0)
        #expect(try await fleet.world.count("id = \(waiting[0]) AND state = 'cancelled' AND attempt = 0") == 1)
        let start = ContinuousClock.now
        let answer = try await groundcrew(fleet, "cancel", String(long[0]), "--json")
        #expect(answer.status == 0, "\(answer)")
        #expect(answer.json["asked_to_end"]?.intValue == 1)
        try await eventually(within: .seconds(8), "the job to be cancelled") {
            try await fleet.world.count("state = 'cancelled' AND error = 'cancelled on request'") == 1
        }
        // A heartbeat of this lease comes every 6 s; the hint in Redis is there to be quicker.
        #expect(start.duration(to: .now) < .seconds(6))
        #expect(try await groundcrew(fleet, "cancel", String(long[0])).status == 1)
        try await eventually(within: .seconds(30), "the moment of the waiting job to pass") {
            try await fleet.world.count("id = \(waiting[0]) AND run_at < now() - interval '500 milliseconds'") == 1
        }
        #expect(try await fleet.world.count("id = \(waiting[0]) AND state = 'cancelled' AND attempt = 0") == 1)
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test("Dead jobs are listed, retried by a filter after a confirmation, and run; others are dropped")
    func retryAndDrop() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        try await fleet.world.agreed()
        let ids = try await fleet.world.queue.enqueue((0..<6).map { probe("dead-\($0)") })
        _ = try await fleet.world.postgres.query(
            """
            UPDATE jobs SET state = 'dead', dead_reason = 'failed', finished_at = now(),
              error = CASE WHEN id = \(ids[0]) THEN 'no such account' ELSE 'HTTP 503' END
            """
        )
        await fleet.world.dispatch.forget(ids, queue: "maint")
        let dead = try await groundcrew(fleet, "dead", "--json")
        #expect(dead.status == 0 && dead.json.arrayValue?.count == 6)

        let dry = try await groundcrew(fleet, "retry", "--error", "http 503", "--dry-run", "--json")
        #expect(dry.status == 0 && dry.json["matched"]?.intValue == 5)
        let unconfirmed = try await groundcrew(fleet, "retry", "--error", "http 503")
        #expect(unconfirmed.status == 2)
        #expect(unconfirmed.complaint.contains("--yes"))
        #expect(try await fleet.world.count("state = 'dead'") == 6)

        let processes = [try fleet.start("scheduler"), try fleet.start("worker")]
        let retried = try await groundcrew(fleet, "retry", "--error", "http 503", "--yes", "--rate", "50/s", "--json")
        #expect(retried.status == 0 && retried.json["changed"]?.intValue == 5, "\(retried)")
        try await eventually(within: .seconds(15), "the retried jobs to be done") {
            try await fleet.world.count("state = 'done'") == 5
        }
        let dropped = try await groundcrew(fleet, "drop", String(ids[0]))
        #expect(dropped.status == 0 && dropped.out.contains("1 dropped"))
        #expect(try await fleet.world.count("id = \(ids[0])") == 0)
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test("E-28: a paused queue runs nothing and a closed one takes nothing; resumed, all goes on")
    func modes() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        let processes = [try fleet.start("scheduler"), try fleet.start("worker")]
        let port = freePort()
        let api = try fleet.start("api", "--port", String(port))
        let caller = try await Caller.ready(fleet, port: port)
        #expect(try await groundcrew(fleet, "pause", "maint", "--reason", "upgrade").status == 0)
        try await fleet.world.queue.enqueue([probe("held")])
        let queues = try await groundcrew(fleet, "queues", "--json")
        #expect(queues.json["queues"]?["maint"]?["mode"] == "paused")
        let doctor = try await groundcrew(fleet, "doctor", "--canary", "--queues", "maint,crew", "--json")
        let checks = doctor.json.arrayValue ?? []
        #expect(checks.contains { $0["check"] == "canary.maint" && $0["level"] == "warn" })
        #expect(checks.contains { $0["check"] == "canary.crew" && $0["level"] == "ok" })
        #expect(try await fleet.world.count("state = 'queued' AND payload->>'key' = 'held'") == 1)
        #expect(try await groundcrew(fleet, "resume", "maint").status == 0)
        try await eventually(within: .seconds(10), "the held job") {
            try await fleet.world.count("state = 'done' AND payload->>'key' = 'held'") == 1
        }

        #expect(try await groundcrew(fleet, "close", "crew").status == 0)
        let draft: JSON = ["name": "Load", "client": "Test", "brief": "Test.", "budget": 5]
        let created = try await caller.call("POST", "/api/engagements", draft)
        let path = "/api/engagements/\(created.body["id"]?.stringValue ?? "")"
        let refused = try await caller.call("POST", path + "/run")
        #expect(refused.status == 502)
        #expect(refused.body["error"] == "Engine error: the crew queue is closed")
        let status = try await caller.call("GET", path + "/status")
        #expect(status.body["status"] == "failed")
        #expect(status.body["error"] == "Engine error: the crew queue is closed")
        #expect(try await groundcrew(fleet, "resume", "crew").status == 0)
        #expect(try await caller.call("POST", path + "/run").status == 200)
        let tasks: JSON = .array(
            (1...4).map {
                ["id": .string("t\($0)"), "title": .string("T\($0)"), "simulate": ["ms": 300, "costUsd": 0.01]]
            }
        )
        let accepted = try await caller.startRun(tasks: tasks)
        #expect(try await groundcrew(fleet, "close", "crew").status == 0)
        try await eventually(within: .seconds(20), "the run that was accepted before to be completed") {
            let status = try await caller.call("GET", "/api/engagements/\(accepted)/status")
            return status.body["status"] == "completed"
        }
        for process in processes + [api] { try await process.stop() }
        await fleet.close()
    }

    @Test("Of a healthy fleet the doctor says so and ends with 0, and a canary comes through each queue")
    func healthy() async throws {
        let postgres = try await TestStack.shared().dedicatedPostgres(durability: .durable)
        try await postgres.createDatabase("healthy", template: nil)
        let fleet = try await FleetUnderTest(databaseURL: postgres.url(database: "healthy"))
        let unmigrated = try await groundcrew(fleet, "doctor")
        #expect(unmigrated.status == 3 && unmigrated.complaint.contains("groundcrew migrate"))
        let migrated = try await groundcrew(fleet, "migrate", "--json")
        #expect(migrated.status == 0 && migrated.json["applied"]?.arrayValue?.contains("0004_operations") == true)
        let processes = [try fleet.start("scheduler"), try fleet.start("worker")]
        try await eventually(within: .seconds(20), "the fleet to be up") {
            let workers = try await groundcrew(fleet, "workers", "--json").json.arrayValue ?? []
            return workers.contains { $0["state"] == "live" }
        }
        let doctor = try await groundcrew(fleet, "doctor", "--canary", "--json")
        #expect(doctor.status == 0, "\(doctor)")
        let findings = doctor.json.arrayValue ?? []
        #expect(findings.count { $0["check"]?.stringValue?.hasPrefix("canary.") == true } == 10)
        #expect(findings.allSatisfy { $0["level"] == "ok" }, "\(doctor.out)")
        for process in processes { try await process.stop() }
        await fleet.close()
        await postgres.stop()
    }

    @Test("The exit codes are those of the table")
    func exitCodes() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        #expect(try await groundcrew(fleet, "queues").status == 0)
        #expect(try await groundcrew(fleet, "doctor").status == 1)
        #expect(try await groundcrew(fleet, "job", "4711").status == 1)
        #expect(try await groundcrew(fleet, "retry", "4711").status == 1)
        #expect(try await groundcrew(fleet, "nonsense").status == 2)
        #expect(try await groundcrew(fleet, "retry").status == 2)
        #expect(try await groundcrew(fleet, "pause", "nowhere").status == 2)
        #expect(try await groundcrew(fleet, "--help").status == 0)
        let help = try await groundcrew(fleet, "--help").out
        #expect(help.contains("EXIT CODES"))
        let away = try await FleetUnderTest(databaseURL: "postgresql://u:s3cret@127.0.0.1:1/x")
        let unreachable = try await groundcrew(away, "queues")
        #expect(unreachable.status == 3)
        #expect(!unreachable.complaint.contains("s3cret"))
        await away.close()
        await fleet.close()
    }

    @Test(
        "Limits of queues, tenants, plans and keys are set, listed and taken back; schedules are added, listed and removed"
    )
    func limits() async throws {
        let fleet = try await FleetUnderTest()
        for whose in [[], ["--tenant", "t"], ["--plan", "starter"], ["--key", "a b"], ["--each-key"]] {
            let name = ["--queue", "fetch"] + whose
            let set = try await groundcrew(fleet, ["limits", "set", "--concurrency", "7"] + name)
            #expect(set.status == 0, "\(whose): \(set.complaint)")
        }
        #expect(
            try await groundcrew(fleet, "limits", "set", "--queue", "fetch", "--each-key", "--rate", "1").status == 2
        )
        #expect(
            try await groundcrew(fleet, "limits", "set", "--queue", "fetch", "--key", "k", "--plan", "starter").status
                == 2
        )
        let table = try await groundcrew(fleet, "limits", "--queue", "fetch")
        #expect(table.status == 0)
        for name in ["(all)", "t", "(plan starter)", "(key a b)", "(each key)"] { #expect(table.out.contains(name)) }
        #expect(table.out.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let listed = try await groundcrew(fleet, "limits", "--queue", "fetch", "--json").json.arrayValue ?? []
        #expect(listed.count { $0["key"] == "a b" && $0["concurrency"] == 7 } == 1)
        #expect(try await groundcrew(fleet, "limits", "remove", "--queue", "fetch", "--key", "a b").status == 0)
        #expect(try await groundcrew(fleet, "limits", "remove", "--queue", "fetch", "--key", "a b").status == 1)
        let nightly = ["nightly", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--kind", "maint.canary"]
        #expect(try await groundcrew(fleet, ["schedules", "add"] + nightly).status == 0)
        let schedules = try await groundcrew(fleet, "schedules")
        #expect(schedules.out.contains("Europe/Berlin"))
        #expect(try await groundcrew(fleet, "schedules", "remove", "nightly").status == 0)
        #expect(try await groundcrew(fleet, "batches").status == 0)
        await fleet.close()
    }

    @Test("top and workers show what each slot does, for people within 100 columns and for programs")
    func views() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        let processes = [try fleet.start("scheduler"), try fleet.start("worker")]
        let ids = try await fleet.world.queue.enqueue([probe("shown", milliseconds: 30_000)])
        try await eventually(within: .seconds(15), "the job to run") {
            try await fleet.world.count("state = 'running'") == 1
        }
        let workers = try await groundcrew(fleet, "workers", "--json")
        let slot = workers.json.arrayValue?.first?["jobs"]?.arrayValue?.first
        #expect(slot?["id"]?.intValue == ids[0] && slot?["kind"] == "test.probe")
        for command in [["workers"], ["top"], ["queues"], ["dead"], ["jobs"]] {
            let answer = try await groundcrew(fleet, command[0])
            #expect(answer.status == 0)
            #expect(answer.out.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(answer.out)")
            #expect(!answer.out.contains("\u{1B}"), "colours are for terminals")
        }
        let top = try await groundcrew(fleet, "top", "--json", "--frames", "3", "--every", "0.2s")
        let frames = top.out.split(separator: "\n").compactMap { try? JSON(parsing: Data($0.utf8)) }
        #expect(frames.count == 3)
        #expect(frames.allSatisfy { $0["queues"]?["maint"]?["running"]?.intValue == 1 })
        for process in processes { process.signal(SIGKILL) }
        await fleet.close()
    }
}
