import Domain
import Foundation
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Submissions", .serialized)
struct SubmissionTests {
    private static let row = [
        "id", "task_id", "contributor_id", "media_object_key", "duration_seconds", "byte_size", "status",
        "review_note", "reviewed_at", "created_at",
    ]

    /// An endpoint that wants everything of test mode.
    private func listen(_ api: APIUnderTest) async throws {
        let made = try await api.decide("/webhook-endpoints", #"{"url":"https://hooks.example/all"}"#)
        #expect(made.status == 201, "\(made.text)")
    }

    /// The bodies of the events of a type, oldest first.
    private func events(_ type: String, _ api: APIUnderTest) async throws -> [JSON] {
        try await api.world.postgres.query(
            "SELECT convert_from(body, 'UTF8')::jsonb FROM events WHERE type = \(type) ORDER BY created_at"
        ).map { try $0.decode(JSON.self) }
    }

    @Test(
        "T-17, T-18: the list has all statuses, newest first, without links; one submission has a fresh link for an hour"
    )
    func shown() async throws {
        try await APIUnderTest.run { api in
            let task = try await api.task()
            let contributor = try await api.contributor()
            #expect(try await api.collect("/tasks/\(task)/submissions").text == #"{"data":[]}"#)
            var ids: [String] = []
            for _ in 0..<3 { ids.insert(try await api.submission(for: task, by: contributor), at: 0) }
            #expect(try await api.decide("/submissions/\(ids[0])/approve").status == 200)
            #expect(try await api.decide("/submissions/\(ids[1])/reject", #"{"note":"Too dark"}"#).status == 200)
            let list = try await api.collect("/tasks/\(task)/submissions")
            let rows = list.data?.arrayValue ?? []
            #expect(rows.compactMap { $0["id"]?.stringValue } == ids && list.names(Self.row))
            #expect(rows.allSatisfy { Set($0.objectValue?.keys.map(\.self) ?? []) == Set(Self.row) })
            #expect(rows.map { $0["status"] } == ["approved", "rejected", "pending"])
            #expect(rows.map { $0["review_note"] } == [.null, "Too dark", .null])
            #expect(rows[2]["reviewed_at"] == .null && rows[2]["task_id"] == .string(task))
            #expect(rows[2]["duration_seconds"] == 31 && rows[2]["byte_size"] == 987)
            #expect(rows[2]["contributor_id"]?.stringValue?.hasPrefix("usr_c") == true)
            #expect(ids[0].wholeMatch(of: /sub_[0-9a-hjkmnp-tv-z]{26}/) != nil)

            let first = try await api.collect("/submissions/\(ids[0])")
            let second = try await api.collect("/submissions/\(ids[0])")
            #expect(
                first.names([
                    "id", "status", "media_url", "media_url_expires_in_seconds", "duration_seconds", "byte_size",
                    "created_at",
                ])
            )
            let members = Set(first.data?.objectValue?.keys.map(\.self) ?? [])
            #expect(members.isSuperset(of: Self.row))
            #expect(first.data?["media_url_expires_in_seconds"] == 3600)
            let urls = [first, second].compactMap { $0.data?["media_url"]?.stringValue }
            #expect(Set(urls).count == 2)
            for url in urls { try expectLink(url, to: rows[0]["media_object_key"]?.stringValue ?? "") }
        }
    }

    /// A link that opens now, and does not in an hour, nor for another path.
    private func expectLink(_ url: String, to key: String) throws {
        let match = try #require(
            url.wholeMatch(of: /http:\/\/[^\/]+(\/storage\/v1\/object\/sign\/([^?]+))\?token=(.*)/)
        )
        #expect(String(match.2) == key)
        let signed = SignedURLs(secret: Array(0..<32))
        let now = Int(Date().timeIntervalSince1970)
        let (path, token) = (String(match.1), String(match.3))
        #expect(try signed.grant(token, path: path, method: "GET", at: now + 3590).mimeType == "video/mp4")
        #expect(throws: SignedURLs.Refusal.expired) {
            try signed.grant(token, path: path, method: "GET", at: now + 3601)
        }
        #expect(throws: SignedURLs.Refusal.invalid) {
            try signed.grant(token, path: path + "x", method: "GET", at: now)
        }
    }

    @Test(
        "T-30, T-22, D-67: an approval counts, earns a payout and is announced, each once; the last one completes the task"
    )
    func approve() async throws {
        try await APIUnderTest.run { api in
            try await listen(api)
            let task = try await api.task(reward: 250, target: 2)
            let contributor = try await api.contributor()
            let ids = [
                try await api.submission(for: task, by: contributor),
                try await api.submission(for: task, by: contributor),
            ]
            let reply = try await api.decide("/submissions/\(ids[0])/approve")
            #expect(reply.status == 200 && reply.data?["status"] == "approved" && reply.names(Self.row))
            #expect(reply.data?["reviewed_at"]?.stringValue?.hasSuffix("Z") == true)
            var shown = try await api.collect("/tasks/\(task)").data
            #expect(shown?["approved_count"] == 1 && shown?["status"] == "open")
            let again = try await api.decide("/submissions/\(ids[0])/approve")
            #expect(again.status == 409 && again.code == "conflict")
            #expect(try await api.decide("/submissions/\(ids[0])/reject").status == 409)
            #expect(try await api.decide("/submissions/\(ids[1])/approve").status == 200)
            shown = try await api.collect("/tasks/\(task)").data
            #expect(shown?["approved_count"] == 2 && shown?["status"] == "completed")
            #expect(
                try await api.count(
                    "SELECT count(*) FROM payouts WHERE amount_cents = 250 AND status = 'pending' AND submission_id = ANY(\(ids))"
                ) == 2
            )
            let approved = try await events("submission.approved", api)
            #expect(approved.compactMap { $0["data"]?["id"]?.stringValue } == ids)
            #expect(approved[0]["data"]?["payout"] == ["amount_cents": 250, "status": "pending"])
            #expect(approved[0]["livemode"] == false && approved[0]["id"]?.stringValue?.hasPrefix("evt_") == true)
            let created = try await events("submission.created", api)
            #expect(created.count == 2 && created[0]["data"]?["payout"] == nil)
            #expect(created[0]["data"]?["status"] == "pending")
            #expect(try await api.world.count("kind = 'webhook.deliver' AND state = 'queued'") == 4)
        }
    }

    @Test("S-40: a rejection keeps its note, counts nothing and pays nothing; endpoints of the other mode hear nothing")
    func reject() async throws {
        try await APIUnderTest.run { api in
            try await listen(api)
            let live = try await api.collectionKey(APIUnderTest.collectionScopes, .live)
            let other = try await api.post(
                "/api/v1/webhook-endpoints",
                #"{"url":"https://hooks.example/live"}"#,
                api.bearer(live)
            )
            #expect(other.status == 201)
            let task = try await api.task()
            let id = try await api.submission(for: task, by: try await api.contributor())
            for body in [#"{"note":5}"#, #"{"note":"\#(String(repeating: "x", count: 2001))"}"#] {
                #expect(try await api.decide("/submissions/\(id)/reject", body).faultPaths == ["note"])
            }
            let reply = try await api.decide("/submissions/\(id)/reject", #"{"note":"Too dark"}"#)
            #expect(reply.status == 200 && reply.data?["status"] == "rejected")
            #expect(reply.data?["review_note"] == "Too dark")
            #expect(try await api.collect("/tasks/\(task)").data?["approved_count"] == 0)
            #expect(try await api.count("SELECT count(*) FROM payouts") == 0)
            #expect(try await events("submission.rejected", api).count == 1)
            #expect(try await api.count("SELECT count(*) FROM webhook_deliveries") == 2)
        }
    }

    @Test("S-40, D-66: a task that is completed or cancelled takes no decisions")
    func closed() async throws {
        try await APIUnderTest.run { api in
            let contributor = try await api.contributor()
            let full = try await api.task(target: 1)
            let late = try await api.submission(for: full, by: contributor)
            let first = try await api.submission(for: full, by: contributor)
            #expect(try await api.decide("/submissions/\(first)/approve").status == 200)
            let cancelled = try await api.task()
            let left = try await api.submission(for: cancelled, by: contributor)
            #expect(try await api.decide("/tasks/\(cancelled)/cancel").status == 200)
            #expect(try await api.decide("/tasks/\(full)/cancel").status == 409)
            for id in [late, left] {
                for verb in ["approve", "reject"] {
                    let reply = try await api.decide("/submissions/\(id)/\(verb)")
                    #expect(reply.status == 409 && reply.code == "conflict")
                }
                #expect(try await api.collect("/submissions/\(id)").data?["status"] == "pending")
            }
        }
    }

    // MARK: Races

    /// Everything at once; the statuses that came back.
    private func race(_ calls: [@Sendable () async throws -> Reply]) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for call in calls { group.addTask { try await call().status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("T-29: of 50 approvals at once for the last place, exactly one counts")
    func lastPlace() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            try await listen(api)
            let task = try await api.task(target: 1)
            let contributor = try await api.contributor()
            var ids: [String] = []
            for _ in 0..<50 { ids.append(try await api.submission(for: task, by: contributor)) }
            let statuses = try await race(
                ids.enumerated().map { index, id in
                    { try await api.decide("/submissions/\(id)/approve", server: index % 2) }
                }
            )
            #expect(statuses.count { $0 == 200 } == 1 && statuses.count { $0 == 409 } == 49)
            let shown = try await api.collect("/tasks/\(task)").data
            #expect(shown?["approved_count"] == 1 && shown?["status"] == "completed")
            #expect(try await api.count("SELECT count(*) FROM payouts") == 1)
            #expect(try await api.count("SELECT count(*) FROM submissions WHERE status = 'approved'") == 1)
            #expect(try await events("submission.approved", api).count == 1)
        }
    }

    @Test("T-29: approve against reject of one submission: one wins, and everything agrees with it")
    func approveOrReject() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            try await listen(api)
            let task = try await api.task(target: 100)
            let contributor = try await api.contributor()
            for _ in 0..<15 {
                let id = try await api.submission(for: task, by: contributor)
                let statuses = try await race(
                    (0..<6).map { index in
                        {
                            try await api.decide(
                                "/submissions/\(id)/\(index % 2 == 0 ? "approve" : "reject")",
                                server: index % 2
                            )
                        }
                    }
                )
                #expect(statuses.count { $0 == 200 } == 1 && statuses.count { $0 == 409 } == 5)
            }
            let approved = try await api.count("SELECT count(*) FROM submissions WHERE status = 'approved'")
            #expect(try await api.count("SELECT count(*) FROM payouts") == approved)
            #expect(try await api.count("SELECT approved_count FROM collect_tasks") == approved)
            #expect(try await events("submission.approved", api).count == approved)
            #expect(try await events("submission.rejected", api).count == 15 - approved)
        }
    }

    @Test("T-29: cancel against approve: whatever comes first, count, payouts and statuses agree")
    func cancelOrApprove() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            let contributor = try await api.contributor()
            for _ in 0..<12 {
                let task = try await api.task(target: 1)
                let id = try await api.submission(for: task, by: contributor)
                let statuses = try await race([
                    { try await api.decide("/tasks/\(task)/cancel") },
                    { try await api.decide("/submissions/\(id)/approve", server: 1) },
                ])
                #expect(statuses.sorted() == [200, 409])
                let shown = try await api.collect("/tasks/\(task)").data
                let wasApproved = try await api.collect("/submissions/\(id)").data?["status"] == "approved"
                #expect(shown?["status"] == (wasApproved ? "completed" : "cancelled"))
                #expect(shown?["approved_count"] == (wasApproved ? 1 : 0))
                #expect(
                    try await api.count("SELECT count(*) FROM payouts WHERE submission_id = \(id)")
                        == (wasApproved ? 1 : 0)
                )
            }
        }
    }
}
