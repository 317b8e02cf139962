import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Contributors", .serialized)
struct ContributorTests {
    private func submit(
        _ api: APIUnderTest,
        _ task: String,
        _ body: String,
        _ headers: [String: String]
    ) async throws
        -> Reply
    {
        try await api.post("/api/contributor/tasks/\(task)/submissions", body, headers)
    }

    private func draft(_ key: String) -> String {
        JSON.object(["media_object_key": .string(key), "duration_seconds": 31]).text
    }

    @Test(
        "D-65: a contributor logs in without a tenant, is known, may change the password and log out, and sees nothing else"
    )
    func session() async throws {
        try await APIUnderTest.run { api in
            let made = try #require(try await api.world.stores.contributors.create(email: "c@c.example", name: "Cee"))
            #expect(try await api.world.stores.contributors.create(email: "C@c.example", name: nil) == nil)
            var cookie = try await api.logIn("C@C.example", made.password)
            let me = try await api.get("/api/auth/me", cookie)
            #expect(me.status == 200 && me.body["user"]?["name"] == "Cee")
            #expect(me.body["tenant"] == .null && me.body["role"] == .null && me.body["scopes"] == [])
            for path in ["/api/engagements", "/api/team", "/api/billing", "/api/api-keys"] {
                #expect(try await api.get(path, cookie).status == 403, "\(path)")
            }
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, cookie).status == 403)
            #expect(try await api.get("/api/v1/tasks", cookie).status == 401)
            let change = JSON.object(["current": .string(made.password), "new": "another long one"]).text
            let changed = try await api.post("/api/auth/password", change, cookie)
            #expect(changed.status == 200)
            #expect(try await api.get("/api/contributor/tasks", cookie).status == 401)
            cookie = ["Cookie": try #require(changed.cookie)]
            #expect(try await api.get("/api/contributor/tasks", cookie).status == 200)
            #expect(try await api.post("/api/auth/logout", "", cookie).status == 200)
            #expect(try await api.get("/api/contributor/tasks", cookie).status == 401)
        }
    }

    @Test("A contributor who joins a tenant is a member there and a contributor still")
    func both() async throws {
        try await APIUnderTest.run { api in
            let made = try #require(try await api.world.stores.contributors.create(email: "c@c.example", name: nil))
            _ = try #require(try await api.world.stores.members.add(api.tenant, email: "c@c.example", role: .viewer))
            let cookie = try await api.logIn("c@c.example", made.password)
            #expect(try await api.get("/api/auth/me", cookie).body["role"] == "viewer")
            #expect(try await api.get("/api/engagements", cookie).status == 200)
            #expect(try await api.get("/api/contributor/tasks", cookie).status == 200)
            #expect(try await api.get("/api/contributor/tasks", api.logIn()).status == 403)
        }
    }

    @Test("X-2, X-4, X-14: keys are the wrong credential, members the wrong people, other sites the wrong place")
    func access() async throws {
        try await APIUnderTest.run(settings: .forTests(publicURL: "https://crew.example")) { api in
            #expect(try await api.get("/api/contributor/tasks").status == 401)
            #expect(try await api.get("/api/contributor/tasks", api.bearer(api.collectionKey)).status == 401)
            let member = try await api.get("/api/contributor/tasks", try await api.logIn())
            #expect(member.status == 403 && member.body == ["error": "This is for contributors"])
            let foreign = try await api.contributor().merging(["Origin": "https://evil.example"]) { $1 }
            let task = try await api.task()
            #expect(try await submit(api, task, "{}", foreign).body == ["error": "Cross-site request blocked"])
        }
    }

    @Test("S-45: contributors see the open live tasks of all tenants, or those of test mode when they ask for them")
    func tasks() async throws {
        try await APIUnderTest.run { api in
            let contributor = try await api.contributor()
            #expect(try await api.get("/api/contributor/tasks", contributor).body == ["tasks": []])
            let stranger = try await api.world.stores.accounts.createTenant(name: "S", plan: nil)
            let test = try await api.task()
            let live = try await api.task(key: api.collectionKey(APIUnderTest.collectionScopes, .live))
            let theirs = try await api.task(
                key: api.collectionKey(APIUnderTest.collectionScopes, .live, of: stranger.id)
            )
            _ = try await api.task(funded: false, key: api.collectionKey(APIUnderTest.collectionScopes, .live))
            let reply = try await api.get("/api/contributor/tasks", contributor)
            let offers = reply.body["tasks"]?.arrayValue ?? []
            #expect(offers.compactMap { $0["id"]?.stringValue } == [theirs, live])
            let members: Set = ["id", "title", "instructions", "reward_cents", "modalities", "device_requirement"]
            #expect(offers.allSatisfy { Set($0.objectValue?.keys.map(\.self) ?? []) == members })
            let tried = try await api.get("/api/contributor/tasks?mode=test", contributor)
            #expect(tried.body["tasks"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == [test])
            #expect(try await api.get("/api/contributor/tasks?mode=both", contributor).status == 400)
        }
    }

    @Test("S-46, D-79: a link to upload to, for 15 minutes, for videos of at most 500 MiB, while the task is open")
    func upload() async throws {
        try await APIUnderTest.run(settings: .unlimited(publicURL: "https://crew.example/")) { api in
            let contributor = try await api.contributor()
            let task = try await api.task()
            let path = "/api/contributor/tasks/\(task)/uploads"
            let reply = try await api.post(path, #"{"byte_size":5000,"mime_type":"Video/MP4"}"#, contributor)
            #expect(reply.status == 200 && reply.names(["media_object_key", "upload_url", "expires_in_seconds"]))
            #expect(reply.body["expires_in_seconds"] == 900)
            let key = try #require(reply.body["media_object_key"]?.stringValue)
            #expect(key.hasPrefix("submissions/") && BlobKey.isKey(key))
            let start = "https://crew.example/storage/v1/object/upload/sign/\(key)?token="
            let url = try #require(reply.body["upload_url"]?.stringValue)
            #expect(url.hasPrefix(start))
            #expect(Self.readable(url).contains(api.tenant.rawValue) == false, "a link tells nothing of the buyer")
            let now = Int(Date().timeIntervalSince1970)
            let grant = try SignedURLs(secret: Array(0..<32)).grant(
                String(url.dropFirst(start.count)),
                path: SignedURLs.uploadPath(of: key),
                method: "PUT",
                at: now + 890
            )
            #expect(grant == .init(mimeType: "video/mp4", maxBytes: 5000, tenant: api.tenant.rawValue))
            for (body, fault) in [
                (#"{"byte_size":524288001,"mime_type":"video/mp4"}"#, "byte_size"),
                (#"{"byte_size":0,"mime_type":"video/mp4"}"#, "byte_size"),
                (#"{"byte_size":"5","mime_type":"video/mp4"}"#, "byte_size"), (#"{"byte_size":5}"#, "mime_type"),
                (#"{"byte_size":5,"mime_type":"image/png"}"#, "mime_type"),
                (#"{"byte_size":5,"mime_type":"video/mp4\r\nX: y"}"#, "mime_type"),
            ] {
                let reply = try await api.post(path, body, contributor)
                #expect(reply.status == 400 && reply.body["error"]?.stringValue?.hasPrefix(fault) == true, "\(body)")
            }
            let good = #"{"byte_size":5,"mime_type":"video/webm"}"#
            #expect(try await api.post("/api/contributor/tasks/tsk_none/uploads", good, contributor).status == 404)
            let funding = try await api.task(funded: false)
            #expect(try await api.post("/api/contributor/tasks/\(funding)/uploads", good, contributor).status == 409)
        }
    }

    /// What anybody can read in a link: itself, and what its parts decode to.
    private static func readable(_ url: String) -> String {
        let parts = url.split { ".=/?".contains($0) }.map {
            let text = $0.replacing("-", with: "+").replacing("_", with: "/")
            return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
        }
        return url + parts.compactMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }.joined()
    }

    @Test("S-47: a submission needs an own, uploaded, unused key of an open task")
    func submissions() async throws {
        try await APIUnderTest.run { api in
            let contributor = try await api.contributor()
            let task = try await api.task()
            let key = try await api.uploaded(task, by: contributor)
            for (body, fault) in [
                ("{}", "media_object_key is required; duration_seconds is required"),
                (#"{"media_object_key":"k","duration_seconds":0}"#, "duration_seconds"),
                (#"{"media_object_key":"k","duration_seconds":30.5}"#, "duration_seconds"),
                (#"{"media_object_key":"k","duration_seconds":86401}"#, "duration_seconds"),
                (#"{"media_object_key":7,"duration_seconds":30}"#, "media_object_key"),
                (draft("submissions/aa/none"), "media_object_key is not one that you were given"),
            ] {
                let reply = try await submit(api, task, body, contributor)
                #expect(reply.status == 400 && reply.body["error"]?.stringValue?.hasPrefix(fault) == true, "\(body)")
            }
            let other = try await api.task()
            #expect(try await submit(api, other, draft(key), contributor).status == 400)
            #expect(try await submit(api, task, draft(key), try await api.contributor()).status == 400)
            _ = try await api.world.postgres.query("UPDATE blobs SET state = 'uploading'")
            let early = try await submit(api, task, draft(key), contributor)
            #expect(early.status == 400 && early.text.contains("nothing was uploaded"))
            _ = try await api.world.postgres.query(
                "UPDATE blobs SET state = 'live', created_at = now() - interval '23 hours 1 minute'"
            )
            #expect(try await submit(api, task, draft(key), contributor).text.contains("upload the recording again"))
            _ = try await api.world.postgres.query("UPDATE blobs SET created_at = now()")
            let made = try await submit(api, task, draft(key), contributor)
            #expect(made.status == 201 && made.body["status"] == "pending" && made.body["byte_size"] == 987)
            #expect(made.body["media_object_key"] == .string(key) && made.body["task_id"] == .string(task))
            #expect(try await submit(api, task, draft(key), contributor).text.contains("handed in already"))
            #expect(try await submit(api, "tsk_none", draft(key), contributor).status == 404)
            let unused = try await api.uploaded(task, by: contributor)
            #expect(try await api.decide("/tasks/\(task)/cancel").status == 200)
            let late = try await submit(api, task, draft(unused), contributor)
            #expect(late.status == 409 && late.body["error"]?.stringValue?.contains("cancelled") == true)
        }
    }

    @Test("S-47: of ten submissions of one key at once, one is made")
    func oneKey() async throws {
        try await APIUnderTest.run(servers: 2) { api in
            let contributor = try await api.contributor()
            let task = try await api.task()
            let body = draft(try await api.uploaded(task, by: contributor))
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<10 { group.addTask { try await submit(api, task, body, contributor).status } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 201 } == 1 && statuses.count { $0 == 400 } == 9)
        }
    }

    @Test("Keys that nobody handed in are forgotten after a day, and used ones are not")
    func forgotten() async throws {
        try await APIUnderTest.run { api in
            let contributor = try await api.contributor()
            let task = try await api.task()
            let used = try await api.submission(for: task, by: contributor)
            _ = try await api.uploaded(task, by: contributor)
            let postgres = api.world.postgres
            _ = try await postgres.query(ContributorStore.forgetUploads)
            #expect(try await api.count("SELECT count(*) FROM submission_uploads") == 2)
            _ = try await postgres.query("UPDATE submission_uploads SET created_at = now() - interval '25 hours'")
            _ = try await postgres.query(ContributorStore.forgetUploads)
            #expect(try await api.count("SELECT count(*) FROM submission_uploads") == 1)
            #expect(try await api.collect("/submissions/\(used)").status == 200)
        }
    }
}
