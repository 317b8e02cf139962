import Domain
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

/// The document that `GET /api/openapi.json` serves, held against the route tables.
@Suite("OpenAPI")
struct OpenAPITests {
    private func document(_ api: APIUnderTest) async throws -> JSON {
        try await api.get("/api/openapi.json", [:]).body
    }

    @Test("Every row of every table is described, and every description has its row")
    func complete() async throws {
        try await APIUnderTest.run { api in
            let rows = Set(api.routes.map(\.name))
            let described = Set(Catalogue.endpoints.keys)
            let waiting = rows.subtracting(described)
            if !waiting.isEmpty { print("not described yet: \(waiting.sorted().joined(separator: ", "))") }
            #expect(waiting.subtracting(Catalogue.undescribed).isEmpty, "rows without a description")
            #expect(described.intersection(Catalogue.undescribed).isEmpty, "described, and yet listed as waiting")
            #expect(described.subtracting(rows).isEmpty, "descriptions without a row")
            let paths = try #require(try await document(api)["paths"]?.objectValue)
            let operations = paths.values.compactMap(\.objectValue).flatMap(\.values)
            #expect(operations.count == described.count)
            let ids = operations.compactMap { $0["operationId"]?.stringValue }
            #expect(Set(ids).count == operations.count, "an operationId is used twice")
        }
    }

    @Test("Every reference leads to a component, and every component is used")
    func references() async throws {
        try await APIUnderTest.run { api in
            let document = try await document(api)
            var used: Set<String> = []
            Self.collect(document, into: &used)
            for reference in used {
                let parts = reference.dropFirst(2).split(separator: "/").map(String.init)
                let target = parts.reduce(Optional(document)) { $0?[$1] }
                #expect(target != nil, "\(reference)")
            }
            let schemas = document["components"]?["schemas"]?.objectValue?.keys.map(\.self) ?? []
            for name in schemas where !["Error", "CollectionError"].contains(name) {
                #expect(used.contains("#/components/schemas/\(name)"), "\(name) is not used")
            }
        }
    }

    private static func collect(_ json: JSON, into used: inout Set<String>) {
        switch json {
        case .array(let values): for value in values { collect(value, into: &used) }
        case .object(let members):
            if let reference = members["$ref"]?.stringValue { used.insert(reference) }
            for value in members.values { collect(value, into: &used) }
        default: break
        }
    }

    @Test("Anybody may read it; with the tag of the copy that they have the answer is 304 without a body")
    func tag() async throws {
        try await APIUnderTest.run { api in
            let first = try await api.get("/api/openapi.json", [:])
            #expect(first.status == 200 && first.body["openapi"] == "3.1.0")
            let tag = try #require(first.header("ETag"))
            for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let again = try await api.get("/api/openapi.json", ["If-None-Match": known])
                #expect(again.status == 304 && again.text.isEmpty && again.header("ETag") == tag, "\(known)")
            }
            #expect(try await api.get("/api/openapi.json", ["If-None-Match": "\"x\""]).status == 200)
        }
    }

    @Test("Who may call is said: nobody's credential, a key, a session, either, or a contributor's session")
    func security() async throws {
        try await APIUnderTest.run { api in
            let paths = try await document(api)["paths"]
            #expect(paths?["/api/auth/login"]?["post"]?["security"] == [])
            #expect(paths?["/api/api-keys"]?["get"]?["security"] == [["session": []]])
            #expect(paths?["/api/v1/webhook-endpoints"]?["get"]?["security"] == [["apiKey": []]])
            #expect(paths?["/api/v1/tasks"]?["post"]?["security"] == [["apiKey": []]])
            #expect(paths?["/api/contributor/tasks"]?["get"]?["security"] == [["contributor": []]])
            #expect(paths?["/api/webhooks/stripe"]?["post"]?["security"] == [])
            #expect(paths?["/api/engagements"]?["get"]?["security"] == [["apiKey": []], ["session": []]])
            let refusal = paths?["/api/v1/webhook-endpoints"]?["get"]?["responses"]?["401"]
            #expect(
                refusal?["content"]?["application/json"]?["schema"] == ["$ref": "#/components/schemas/CollectionError"]
            )
        }
    }

    @Test("A file is sent as what it is: a form into an engagement, bare bytes by a link")
    func files() async throws {
        try await APIUnderTest.run { api in
            let paths = try await document(api)["paths"]
            let upload = paths?["/api/engagements/{id}/attachments"]?["post"]
            let form = upload?["requestBody"]?["content"]?["multipart/form-data"]?["schema"]
            #expect(form?["properties"]?["file"]?["format"] == "binary" && form?["required"] == ["file"])
            let put = paths?["/storage/v1/object/upload/sign/{bucket}/{shard}/{name}"]?["put"]
            #expect(put?["requestBody"]?["content"]?["*/*"] != nil)
            let parts = paths?["/storage/v1/object/sign/{bucket}/{shard}/{name}"]?["get"]?["responses"]
            #expect(parts?["206"]?["headers"]?["Content-Range"] != nil && parts?["416"]?["content"] == nil)
        }
    }

    @Test(
        "X-12: HEAD, OPTIONS and TRACE of a path that has no such row are 405 with Allow, and HEAD of a GET is served"
    )
    func methods() async throws {
        try await APIUnderTest.run { api in
            let head = api.bearer(api.key)
            for method in [HTTPRequest.Method.options, .trace, .put] {
                let reply = try await api.servers[0](method, "/api/engagements", nil, head)
                #expect(reply.status == 405 && reply.header("Allow") == "GET, POST", "\(method)")
            }
            let run = try await api.servers[0](.head, "/api/engagements/cx/run", nil, head)
            #expect(run.status == 405 && run.header("Allow") == "POST")
            #expect(try await api.servers[0](.head, "/api/engagements", nil, head).status == 200)
        }
    }

    @Test("X-12: U+0000 in a path is an unknown thing, a huge offset an empty page")
    func oddities() async throws {
        try await APIUnderTest.run { api in
            for path in [
                "/api/engagements/a%00b", "/api/engagements/a%00b/logs", "/api/engagements/a%00b/deliverables",
            ] {
                #expect(try await api.get(path).status == 404, "\(path)")
            }
            let id = try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue ?? ""
            let page = try await api.get("/api/engagements/\(id)/logs?offset=\(Int.max)")
            #expect(page.status == 200 && page.body["logs"] == [])
            #expect(try await api.get("/api/engagements/\(id)/logs?offset=9223372036854775808").status == 400)
        }
    }
}
