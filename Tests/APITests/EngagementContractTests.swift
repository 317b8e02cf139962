import Domain
import Embedded
import Foundation
import HTTPTypes
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// What the engagements document promises of each answer, row by row. Real stores; a worker is played in SQL.
@Suite("The engagements contract")
struct EngagementContractTests {
    private static let engagementKeys: Set = [
        "id", "tenantId", "name", "client", "slug", "brief", "budget", "tasks", "status", "createdAt",
    ]

    private func keys(_ json: JSON?) -> Set<String> { Set(json?.objectValue?.keys.map(\.self) ?? []) }

    private func create(_ api: APIUnderTest, _ body: String = APIUnderTest.draft) async throws -> String {
        try #require(try await api.post("/api/engagements", body).body["id"]?.stringValue)
    }

    private func start(_ api: APIUnderTest, _ id: String) async throws -> Run.ID {
        let reply = try await api.post("/api/engagements/\(id)/run")
        return ID(try #require(reply.body["runId"]?.stringValue, "\(reply.status) \(reply.text)"))
    }

    private func end(_ api: APIUnderTest, _ run: Run.ID, as status: Run.Status = .completed) async throws {
        let error = status == .failed ? "Task a failed" : nil
        _ = try await api.world.postgres.pipeline(
            [RunLedger.lockEngagement(of: run)] + RunLedger.finishRun(run, as: status, error: error)
        )
    }

    private func number(_ api: APIUnderTest, _ sql: SQL) async throws -> Int {
        try await api.world.postgres.query(sql).first?.decode(Int.self) ?? -1
    }

    private func write(_ api: APIUnderTest, _ run: Run.ID, _ filename: String, _ content: String) async throws {
        _ = try await api.world.postgres.query(
            RunLedger.addDeliverable(filename: filename, content: content, words: 1, task: filename, of: run)
        )
    }

    @Test(
        "E-1, E-2, E-14: a bare list, newest first, of elements with exactly ten keys; the detail adds runs and documents"
    )
    func lists() async throws {
        try await APIUnderTest.run { api in
            #expect(try await api.get("/api/engagements").body == [])
            var ids: [String] = []
            for number in 0..<3 {
                ids.append(try await create(api, #"{"name":"N\#(number)","client":"C","brief":"B","budget":2.5}"#))
            }
            let list = try #require(try await api.get("/api/engagements").body.arrayValue)
            #expect(list.compactMap { $0["id"]?.stringValue } == ids.reversed())
            #expect(list.allSatisfy { keys($0) == Self.engagementKeys })
            #expect(list.allSatisfy { $0["budget"]?.doubleValue == 2.5 && $0["tasks"]?.arrayValue == [] })
            let detail = try await api.get("/api/engagements/\(ids[0])").body
            #expect(keys(detail) == Self.engagementKeys.union(["runs", "deliverables"]))
            #expect(detail["runs"] == [] && detail["deliverables"] == [])
            let read = try await api.get("/api/engagements")
            #expect(read.number("X-RateLimit-Limit") == RateSettings.wide.limit(.read).count)
        }
    }

    @Test("E-13: creating causes no event, no mail and no job")
    func createIsQuiet() async throws {
        try await APIUnderTest.run { api in
            _ = try await api.post(
                "/api/v1/webhook-endpoints",
                #"{"url":"https://hooks.example.com/x"}"#,
                api.bearer(api.collectionKey)
            )
            _ = try await create(api)
            for table in ["events", "emails", "jobs", "webhook_deliveries"] {
                #expect(try await number(api, "SELECT count(*) FROM \(clause: SQL(trusted: table))") == 0, "\(table)")
            }
        }
    }

    @Test(
        "E-15, E-16: runs and documents have exactly the documented keys, newest first, all versions, system files too"
    )
    func shapes() async throws {
        try await APIUnderTest.run { api in
            let id = try await create(api)
            let first = try await start(api, id)
            try await write(api, first, "plan.md", "One.")
            try await write(api, first, "_run_report_1.md", "Report.")
            try await end(api, first)
            let second = try await start(api, id)
            try await write(api, second, "plan.md", "Two.")
            let detail = try await api.get("/api/engagements/\(id)").body
            let runs = try #require(detail["runs"]?.arrayValue)
            #expect(runs.map { $0["id"]?.stringValue } == [second.rawValue, first.rawValue])
            let runKeys: Set = [
                "id", "engagementId", "status", "startedAt", "finishedAt", "estimatedCost", "inputTokens",
                "outputTokens", "error", "pauseSnapshot",
            ]
            #expect(runs.allSatisfy { keys($0) == runKeys && $0["engagementId"]?.stringValue == id })
            #expect(runs[0]["status"] == "running" && runs[1]["status"] == "completed")
            for key in ["finishedAt", "error", "pauseSnapshot"] { #expect(runs[0][key] == .null, "\(key)") }
            #expect(runs[1]["finishedAt"]?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z/) != nil)
            let documents = try #require(detail["deliverables"]?.arrayValue)
            let documentKeys: Set = [
                "id", "engagementId", "taskId", "filename", "content", "version", "wordCount", "createdAt",
            ]
            #expect(documents.allSatisfy { keys($0) == documentKeys })
            let plans = documents.filter { $0["filename"] == "plan.md" }
            #expect(plans.map { $0["version"] } == [2, 1] && plans.map { $0["content"] } == ["Two.", "One."])
            #expect(documents.contains { $0["filename"] == "_run_report_1.md" })
        }
    }

    @Test(
        "E-18, E-19, E-20, SC-04: a running one is not deleted; a paused one is, with all it had, and nothing comes back"
    )
    func delete() async throws {
        try await APIUnderTest.run { api in
            let id = try await create(api)
            let run = try await start(api, id)
            try await write(api, run, "plan.md", "One.")
            let delete = { try await api.servers[0](.delete, "/api/engagements/\(id)", nil, api.bearer(api.key)) }
            let refused = try await delete()
            #expect(refused.status == 409)
            #expect(refused.body == ["error": "Cannot delete a running engagement. Stop it first."])
            #expect(try await api.post("/api/engagements/\(id)/pause").status == 200)
            let done = try await delete()
            #expect(done.status == 200 && done.body == ["success": true])
            #expect(try await delete().body == ["error": "Not found"])
            #expect(try await api.get("/api/engagements").body == [])
            for table in ["runs", "run_tasks", "run_events", "deliverables"] {
                #expect(try await number(api, "SELECT count(*) FROM \(clause: SQL(trusted: table))") == 0, "\(table)")
            }
            // What a late worker would write finds no run.
            try? await write(api, run, "late.md", "Late.")
            await #expect(throws: PostgresError.self) { try await end(api, run) }
            #expect(try await number(api, "SELECT count(*) FROM deliverables") == 0)
            #expect(try await number(api, "SELECT count(*) FROM runs") == 0)
        }
    }

    @Test("E-21: a start needs no body and reads none; its limit is the engine's", arguments: ["", "{}", #"{"x":1}"#])
    func bodies(body: String) async throws {
        try await APIUnderTest.run { api in
            let id = try await create(api)
            let reply = try await api.post("/api/engagements/\(id)/run", body)
            #expect(reply.status == 200 && keys(reply.body) == ["runId", "status", "message"])
        }
    }

    @Test(
        "E-24, E-32, D-18: each state of a run is announced once, with one mail to who started it, in its transaction"
    )
    func announced() async throws {
        try await APIUnderTest.run { api in
            _ = try await api.post(
                "/api/v1/webhook-endpoints",
                #"{"url":"https://hooks.example.com/x"}"#,
                api.bearer(api.collectionKey)
            )
            try await api.world.stores.emails.setOutlet(isOpen: true)
            let id = try await create(api)
            let run = try await start(api, id)
            _ = try await api.post("/api/engagements/\(id)/run")
            #expect(try await api.post("/api/engagements/\(id)/stop").body["status"] == "failed")
            _ = try await api.post("/api/engagements/\(id)/stop")
            let types = try await api.world.postgres.query("SELECT type FROM events ORDER BY created_at, id")
                .map { try $0.decode(String.self) }
            #expect(types.sorted() == ["engagement.failed", "engagement.started"])
            let mails = try await api.world.stores.emails.list(tenant: nil, limit: 10)
            #expect(Set(mails.map(\.template)) == ["run_started", "run_failed"] && mails.count == 2)
            #expect(mails.allSatisfy { $0.recipient == api.email && $0.status == .pending })
            #expect(mails.allSatisfy { $0.data["runId"]?.stringValue == run.rawValue })
            #expect(mails.first { $0.template == "run_failed" }?.data["error"] == "Stopped by user")
            #expect(try await api.world.count("kind = 'email.send' AND state = 'queued'") == 2)
        }
    }

    @Test("D-33: without a mailer a mail is written down as unsent and has no job; who left the tenant gets none")
    func unsent() async throws {
        try await APIUnderTest.run { api in
            let member = try await api.member(.member)
            let id = try await create(api)
            _ = try await api.post("/api/engagements/\(id)/run", "", member.cookie)
            let stores = api.world.stores
            #expect(try await stores.emails.list(tenant: nil, limit: 9).map(\.status) == [.unsent])
            #expect(try await api.world.count("kind = 'email.send'") == 0)
            _ = try await stores.members.remove(ID(member.id), api.tenant)
            _ = try await api.post("/api/engagements/\(id)/stop")
            #expect(try await stores.emails.list(tenant: nil, limit: 9).count == 1)
        }
    }

    @Test("E-26, E-27: a paused one is not started, a completed and a failed one are, with a new run each time")
    func again() async throws {
        try await APIUnderTest.run { api in
            let id = try await create(api)
            var runs = [try await start(api, id)]
            _ = try await api.post("/api/engagements/\(id)/pause")
            let paused = try await api.post("/api/engagements/\(id)/run")
            #expect(paused.status == 409)
            #expect(paused.body == ["error": "Engagement is paused. Resume or stop it first."])
            #expect(try await api.post("/api/engagements/\(id)/resume").status == 200)
            for status in [Run.Status.completed, .failed] {
                try await end(api, try #require(runs.last), as: status)
                runs.append(try await start(api, id))
            }
            #expect(Set(runs).count == 3)
            #expect(try await api.get("/api/engagements/\(id)").body["runs"]?.arrayValue?.count == 3)
        }
    }

    @Test("E-39, E-41, E-43: with Redis away status, logs and detail are answered from the database")
    func withoutRedis() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        try await APIUnderTest.run(redisURL: redis.url) { api in
            let id = try await create(api)
            let run = try await start(api, id)
            _ = try await api.world.postgres.query(
                RunLedger.append([.log(agent: "chief_strategist", "Begun.")], to: run)
            )
            await redis.kill()
            let status = try await api.get("/api/engagements/\(id)/status")
            #expect(status.status == 200 && status.body["status"] == "running")
            #expect(keys(status.body) == ["engagementId", "status", "estimated_cost", "steps", "error", "budget"])
            let logs = try await api.get("/api/engagements/\(id)/logs").body
            #expect(logs["status"] == "running" && logs["total"] == 1)
            let line = logs["logs"]?.arrayValue?.first?.stringValue
            #expect(line?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \[chief_strategist\] Begun\./) != nil)
            let unknown = try await api.get("/api/engagements/cunknown/status")
            #expect(unknown.status == 404 && unknown.body == ["error": "Not found"])
        }
        await redis.stop()
    }

    @Test("E-60: whatever is asked in whatever state, only the documented changes happen")
    func states() async throws {
        try await APIUnderTest.run { api in
            let allowed: [String: [String: String]] = [
                "pending": ["run": "running"], "running": ["pause": "paused", "stop": "failed"],
                "paused": ["resume": "running", "stop": "failed"], "completed": ["run": "running"],
                "failed": ["run": "running"],
            ]
            for (from, changes) in allowed {
                for verb in ["run", "pause", "resume", "stop"] {
                    let id = try await engagement(api, in: from)
                    let reply = try await api.post("/api/engagements/\(id)/\(verb)", "")
                    let now = try await api.get("/api/engagements/\(id)/status").body["status"]?.stringValue
                    #expect(reply.status == (changes[verb] == nil ? 409 : 200), "\(verb) while \(from)")
                    #expect(now == changes[verb] ?? from, "\(verb) while \(from)")
                }
            }
        }
    }

    private func engagement(_ api: APIUnderTest, in state: String) async throws -> String {
        let id = try await create(api)
        guard state != "pending" else { return id }
        let run = try await start(api, id)
        switch state {
        case "paused": #expect(try await api.post("/api/engagements/\(id)/pause").status == 200)
        case "completed": try await end(api, run)
        case "failed": try await end(api, run, as: .failed)
        default: break
        }
        return id
    }
}

extension RateSettings {
    /// As ``APIService/Settings/unlimited`` has them.
    fileprivate static let wide = APIService.Settings.unlimited.rates
}
