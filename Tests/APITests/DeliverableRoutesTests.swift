import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// Documents over real HTTP.
@Suite("Deliverables API")
struct DeliverableRoutesTests {
    struct Shelf: Sendable {
        let house: LiveHouse
        let engagement: Engagement.ID
        let port: Int

        func call(
            _ method: String,
            _ path: String,
            _ body: String? = nil,
            key: String? = nil
        ) async throws -> (status: Int, text: String, body: JSON, headers: [String: String]) {
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/engagements/\(engagement)\(path)")
            request.method = .init(rawValue: method)
            request.headers.add(name: "Authorization", value: "Bearer \(key ?? house.key)")
            if let body { request.body = .bytes(ByteBuffer(string: body)) }
            let response = try await EventClient.http.execute(request, timeout: .seconds(20))
            let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
            let headers = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { $1 }
            return (Int(response.status.code), text, (try? JSON(parsing: Data(text.utf8))) ?? .null, headers)
        }
    }

    /// One engagement with `plan.md` in two versions and a system file.
    private func shelf(_ body: @escaping @Sendable (Shelf) async throws -> Void) async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        for text in ["one", "two words"] {
            let run = try await house.start(id)
            _ = try await house.world.postgres.query(
                RunLedger.addDeliverable(filename: "plan.md", content: text, words: 2, task: "plan", of: run)
            )
            _ = try await house.world.postgres.query(
                RunLedger.addDeliverable(
                    filename: "_run_report_\(run).md",
                    content: "r",
                    words: 1,
                    task: "_report",
                    of: run
                )
            )
            try await house.finish(run)
        }
        try await house.serve(house.world) { port, _ in
            try await body(Shelf(house: house, engagement: id, port: port))
        }
        await house.world.close()
    }

    @Test("S-30, D-30: the list has exactly the documented keys, newest first, and system files only when asked for")
    func list() async throws {
        try await shelf { shelf in
            let rows = try #require(try await shelf.call("GET", "/deliverables").body.arrayValue)
            #expect(rows.map { $0["version"]?.intValue } == [2, 1])
            let keys: Set = ["id", "filename", "version", "wordCount", "taskId", "reviewStatus", "createdAt"]
            #expect(rows.allSatisfy { Set($0.objectValue?.keys.map(\.self) ?? []) == keys })
            #expect(rows[0]["reviewStatus"] == "pending_review" && rows[0]["taskId"] == "plan")
            #expect(try await shelf.call("GET", "/deliverables?include_internal=true").body.arrayValue?.count == 4)
        }
    }

    @Test("S-31: the versions of a document, descending, with their contents; an unknown name is 404")
    func versions() async throws {
        try await shelf { shelf in
            let rows = try #require(try await shelf.call("GET", "/deliverables/plan.md/versions").body.arrayValue)
            #expect(rows.map { $0["content"] } == ["two words", "one"])
            #expect(rows.map { $0["version"]?.intValue } == [2, 1])
            for name in ["other.md", "a%00b", "%2e%2e%2fplan.md"] {
                #expect(try await shelf.call("GET", "/deliverables/\(name)/versions").status == 404, "\(name)")
            }
        }
    }

    @Test("S-32: of ten reviews at once one decides, the others get 409; the row shows the decision")
    func review() async throws {
        try await shelf { shelf in
            let first = try #require(try await shelf.call("GET", "/deliverables").body.arrayValue?.first)
            let path = "/deliverables/\(first["id"]?.stringValue ?? "")/review"
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await shelf.call("POST", path, #"{"action":"approve","comment":"Good"}"#).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 200 } == 1 && statuses.count { $0 == 409 } == 9)
            let again = try await shelf.call("POST", path, #"{"action":"reject"}"#)
            #expect(again.body == ["error": "Deliverable has already been reviewed"])
            #expect(try await shelf.call("GET", "/deliverables").body.arrayValue?.first?["reviewStatus"] == "approved")
        }
    }

    @Test(
        "S-32: the three actions and their words",
        arguments: [
            ("approve", "approved"), ("request_revision", "revision_requested"), ("reject", "rejected"),
        ]
    )
    func actions(action: String, word: String) async throws {
        try await shelf { shelf in
            let id = try await shelf.call("GET", "/deliverables").body.arrayValue?.first?["id"]?.stringValue ?? ""
            let answer = try await shelf.call("POST", "/deliverables/\(id)/review", #"{"action":"\#(action)"}"#)
            #expect(answer.status == 200 && answer.body["reviewStatus"]?.stringValue == word)
            #expect(answer.body["reviewComment"] == JSON.null && answer.body["reviewedAt"]?.stringValue != nil)
        }
    }

    @Test("S-32: a malformed review is 400, an unknown document 404, a reader's key 403, and nothing is decided")
    func refused() async throws {
        try await shelf { shelf in
            let id = try await shelf.call("GET", "/deliverables").body.arrayValue?.first?["id"]?.stringValue ?? ""
            for body in ["{}", #"{"action":"burn"}"#, #"{"action":5}"#, #"{"action":"approve","comment":5}"#] {
                #expect(try await shelf.call("POST", "/deliverables/\(id)/review", body).status == 400, "\(body)")
            }
            #expect(try await shelf.call("POST", "/deliverables/cnone/review", #"{"action":"approve"}"#).status == 404)
            let caller = try #require(try await shelf.house.world.stores.accounts.caller(key: shelf.house.key))
            let reader = try #require(
                try await shelf.house.world.stores.accounts.createKey(
                    tenant: caller.tenant,
                    name: "r",
                    scopes: [.readOnly],
                    mode: .live
                )
            )
            let read = try await shelf.call(
                "POST",
                "/deliverables/\(id)/review",
                #"{"action":"approve"}"#,
                key: reader.plaintext
            )
            #expect(read.status == 403)
            #expect(
                try await shelf.call("GET", "/deliverables").body.arrayValue?.first?["reviewStatus"] == "pending_review"
            )
        }
    }

    @Test("S-33: a document is downloaded as the Markdown that was written")
    func export() async throws {
        try await shelf { shelf in
            let id = try await shelf.call("GET", "/deliverables").body.arrayValue?.first?["id"]?.stringValue ?? ""
            let file = try await shelf.call("GET", "/deliverables/\(id)/export?format=md")
            #expect(file.status == 200 && file.text == "two words")
            #expect(file.headers["content-type"] == "text/markdown; charset=utf-8")
            #expect(file.headers["content-disposition"] == #"attachment; filename="plan.md""#)
            #expect(file.headers["x-content-type-options"] == "nosniff")
            #expect(try await shelf.call("GET", "/deliverables/\(id)/export?format=doc").status == 400)
            #expect(try await shelf.call("GET", "/deliverables/cnone/export").status == 404)
        }
    }

    @Test("X-6: another tenant's documents answer like unknown ones, on every route")
    func isolation() async throws {
        try await shelf { shelf in
            let id = try await shelf.call("GET", "/deliverables").body.arrayValue?.first?["id"]?.stringValue ?? ""
            let accounts = shelf.house.world.stores.accounts
            let stranger = try await accounts.createTenant(name: "S", plan: .enterprise)
            let key = try #require(
                try await accounts.createKey(tenant: stranger.id, name: "k", scopes: [.readWrite], mode: .live)
            )
            for path in ["/deliverables", "/deliverables/plan.md/versions", "/deliverables/\(id)/export"] {
                let answer = try await shelf.call("GET", path, key: key.plaintext)
                #expect(answer.status == 404 && answer.body == ["error": "Not found"], "\(path)")
            }
            let review = try await shelf.call(
                "POST",
                "/deliverables/\(id)/review",
                #"{"action":"approve"}"#,
                key: key.plaintext
            )
            #expect(review.status == 404)
        }
    }
}
