import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// `POST …/deliverables/:document/rerun` and the PDF of one document.
@Suite("Reruns and single documents, API")
struct RerunRoutesTests {
    /// An engagement that has run, with one document of a task and one that no task has written.
    private struct Desk: Sendable {
        let api: APIUnderTest
        let engagement: String
        let document = "cdocument"
        let report = "creport"

        var path: String { "/api/engagements/\(engagement)/deliverables/\(document)" }

        init(_ api: APIUnderTest) async throws {
            self.api = api
            engagement = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            _ = try await api.world.postgres.pipeline([
                """
                INSERT INTO runs (id, tenant_id, engagement_id, status, budget_nanos)
                VALUES ('crun', \(api.tenant), \(engagement), 'completed', 5000000000)
                """,
                """
                INSERT INTO run_tasks (run_id, task_id, tenant_id, position, agent_slug, config, deps_left, status)
                VALUES ('crun', 'plan', \(api.tenant), 1, 'x', '{}', 0, 'completed')
                """,
                """
                INSERT INTO deliverables (id, tenant_id, engagement_id, run_id, task_id, filename, content, version, word_count)
                VALUES (\(document), \(api.tenant), \(engagement), 'crun', 'plan', 'plan.md', 'Words', 1, 1),
                       (\(report), \(api.tenant), \(engagement), 'crun', '_report', '_run_report_1.md', 'R', 1, 1)
                """,
                "UPDATE engagements SET status = 'completed' WHERE id = \(engagement)",
            ])
        }

        func runs() async throws -> Int {
            try await api.world.postgres.query("SELECT count(*) FROM runs WHERE kind = 'rerun'").first?.decode(Int.self)
                ?? -1
        }
    }

    @Test("S-33: of eight reruns at once one starts, with its job; the others hear that a run is under way")
    func once() async throws {
        try await APIUnderTest.run { api in
            let desk = try await Desk(api)
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await api.post(desk.path + "/rerun", #"{"feedback":"Shorter"}"#) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies.count { $0.status == 200 } == 1 && replies.count { $0.status == 409 } == 7)
            let started = try #require(replies.first { $0.status == 200 })
            #expect(started.body["status"] == "running" && started.body["message"] == "Rerun started")
            #expect(Set(started.body.objectValue?.keys.map(\.self) ?? []) == ["runId", "status", "message"])
            #expect(replies.first { $0.status == 409 }?.body == ["error": "Engagement is already running"])
            #expect(try await desk.runs() == 1)
            #expect(try await api.world.count("kind = 'crew.start'") == 1)
            let feedback = try await api.world.postgres.query("SELECT feedback FROM runs WHERE kind = 'rerun'")
            let told: String? = try feedback.first?.decode(String.self)
            #expect(told == "Shorter")
        }
    }

    @Test("S-33, T-7: the same Idempotency-Key gives the same answer and one run; a body is not needed")
    func repeated() async throws {
        try await APIUnderTest.run { api in
            let desk = try await Desk(api)
            let headers = api.bearer(api.key, ["Idempotency-Key": "once"])
            let first = try await api.post(desk.path + "/rerun", "", headers)
            let second = try await api.post(desk.path + "/rerun", "", headers)
            #expect(first.status == 200 && second.status == 200 && first.text == second.text)
            #expect(second.header("Idempotent-Replayed") == "true")
            #expect(try await desk.runs() == 1)
        }
    }

    @Test("S-33: what may not be made anew is refused, each time with its reason, and nothing is started")
    func refused() async throws {
        try await APIUnderTest.run { api in
            let desk = try await Desk(api)
            let base = "/api/engagements/\(desk.engagement)/deliverables"
            #expect(try await api.post("\(base)/cnone/rerun").status == 404)
            #expect(try await api.post(desk.path + "/rerun", #"{"feedback":5}"#).status == 400)
            let report = try await api.post("\(base)/\(desk.report)/rerun")
            #expect(report.status == 409 && report.text.contains("No task has written this file"))
            for (status, words) in [("paused", "Resume or stop it first"), ("running", "already running")] {
                _ = try await api.world.postgres.query("UPDATE engagements SET status = \(status)")
                let reply = try await api.post(desk.path + "/rerun")
                #expect(reply.status == 409 && reply.text.contains(words), "\(status)")
            }
            _ = try await api.world.postgres.pipeline([
                "UPDATE engagements SET status = 'failed'", "UPDATE runs SET spent_nanos = 5000000000",
            ])
            let spent = try await api.post(desk.path + "/rerun")
            #expect(spent.status == 409 && spent.body == ["error": "Budget exceeded ($5.00 of $5.00)"])
            let reader = try await api.member(.viewer)
            #expect(try await api.post(desk.path + "/rerun", "{}", reader.cookie).status == 403)
            _ = try await api.world.postgres.query("DELETE FROM subscriptions")
            let unpaid = try await api.post(desk.path + "/rerun")
            #expect(unpaid.status == 403 && unpaid.body == ["error": "Active subscription required"])
            #expect(try await desk.runs() == 0)
        }
    }

    @Test("S-33: one document as PDF is made by a job of its own and kept; its name is the document's")
    func pdf() async throws {
        try await APIUnderTest.run { api in
            let desk = try await Desk(api)
            async let reply = api.get(desk.path + "/export?format=pdf")
            try await eventually(within: .seconds(10), "the job to be there") {
                try await api.world.count("kind = 'pdf.export' AND state = 'queued'") == 1
            }
            // As a worker ends it.
            let payload = try await api.world.postgres.query(
                "SELECT payload->>'document', split_part(unique_key, ':', 3) FROM jobs"
            )
            let (document, hash) = try #require(payload.first).decode(String.self, String.self)
            #expect(document == desk.document)
            _ = try await api.world.postgres.pipeline([
                ExportFiles.keep(Array("%PDF-x".utf8), as: hash, api.tenant),
                """
                UPDATE jobs SET state = 'done', finished_at = clock_timestamp(),
                  result = \(JSON.object(["hash": .string(hash)]).text)::jsonb
                """,
            ])
            let file = try await reply
            #expect(file.status == 200 && file.text == "%PDF-x" && file.header("Content-Type") == "application/pdf")
            #expect(file.header("Content-Disposition") == #"attachment; filename="plan.pdf""#)
            #expect(try await api.get(desk.path + "/export?format=pdf").text == "%PDF-x")
            #expect(try await api.world.count("kind = 'pdf.export'") == 1)
            #expect(
                try await api.get("/api/engagements/\(desk.engagement)/deliverables/cnone/export?format=pdf").status
                    == 404
            )
        }
    }

    @Test("S-32, T-22: a decision on a document is told to endpoints once, with its comment")
    func decided() async throws {
        try await APIUnderTest.run { api in
            let desk = try await Desk(api)
            _ = try await api.world.postgres.query(
                """
                INSERT INTO webhook_endpoints (id, tenant_id, livemode, url, secret_sealed)
                VALUES ('whe_1', \(api.tenant), true, 'https://hooks.example.com/', '\\x00')
                """
            )
            let body = #"{"action":"request_revision","comment":"Too long"}"#
            #expect(try await api.post(desk.path + "/review", body).status == 200)
            #expect(try await api.post(desk.path + "/review", body).status == 409)
            let events = try await api.world.postgres.query(
                "SELECT type, convert_from(body, 'UTF8')::jsonb->'data' FROM events"
            ).map { try $0.decode(String.self, JSON.self) }
            #expect(events.count == 1 && events.first?.0 == "deliverable.revision_requested")
            let data: JSON = [
                "engagementId": .string(desk.engagement), "deliverableId": .string(desk.document),
                "filename": "plan.md", "version": 1, "comment": "Too long",
            ]
            #expect(events.first?.1 == data)
            #expect(try await api.world.count("kind = 'webhook.deliver'") == 1)
        }
    }
}
