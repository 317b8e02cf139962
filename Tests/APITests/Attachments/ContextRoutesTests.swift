import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// What callers see of the index.
@Suite("Context API")
struct ContextRoutesTests {
    private func engagement(_ api: APIUnderTest) async throws -> Engagement.ID {
        Engagement.ID(try #require(try await api.post("/api/engagements", APIUnderTest.draft).body["id"]?.stringValue))
    }

    /// As a rebuild writes it.
    private func index(_ api: APIUnderTest, _ id: Engagement.ID) async throws {
        let attachment = RebuildInput.Attachment(
            id: "att",
            filename: "report.pdf",
            mimeType: "application/pdf",
            size: 10,
            sha256: String(repeating: "ab", count: 32),
            storageKey: "k",
            category: "reference"
        )
        let chunk = TextChunk(
            place: ChunkPlace(page: 3),
            text: "The trailers of the fleet are cold.",
            language: "english"
        )
        let postgres = api.world.postgres
        _ = try await postgres.query(ContextLedger.want(id, api.tenant))
        let opened = try await postgres.query(ContextLedger.open(attachment, of: id, api.tenant))
        let text = try #require(try opened.first?.decode(Int.self))
        _ = try await postgres.pipeline(
            [ContextLedger.add([chunk], from: 0, to: text, of: id)]
                + ContextLedger.close(text, of: id, status: "indexed", truncated: false, chunks: [chunk])
                + ContextLedger.store(
                    1,
                    of: id,
                    api.tenant,
                    manifest: ["generation": 1],
                    files: [.init(attachment: attachment, text: text)]
                )
        )
    }

    @Test("S-34, D-45: empty, then building, then ready with manifest and size of the index")
    func state() async throws {
        try await APIUnderTest.run { api in
            let id = try await engagement(api)
            let path = "/api/engagements/\(id)/context"
            let empty = try await api.get(path).body
            #expect(
                Set(empty.objectValue?.keys.map(\.self) ?? []) == [
                    "generation", "wanted", "state", "manifest", "index",
                ]
            )
            #expect(empty["state"] == "empty" && empty["manifest"] == .null && empty["index"]?["chunks"] == 0)
            try await index(api, id)
            let ready = try await api.get(path).body
            #expect(ready["state"] == "ready" && ready["generation"] == 1 && ready["wanted"] == 1)
            #expect(ready["index"]?["chunks"] == 1 && ready["manifest"]?["generatedAt"] != nil)
            _ = try await api.world.postgres.query(ContextLedger.want(id, api.tenant))
            #expect(try await api.get(path).body["state"] == "building")
        }
    }

    @Test("S-34: a search answers with hits, their places and citations")
    func search() async throws {
        try await APIUnderTest.run { api in
            let id = try await engagement(api)
            try await index(api, id)
            let path = "/api/engagements/\(id)/context"
            let answer = try await api.get(path + "?q=cold%20trailer").body
            #expect(answer["query"] == "cold trailer" && answer["generation"] == 1)
            let hit = try #require(answer["hits"]?.arrayValue?.first)
            let keys: Set = ["attachmentId", "filename", "place", "citation", "score", "text"]
            #expect(Set(hit.objectValue?.keys.map(\.self) ?? []) == keys)
            #expect(hit["citation"] == "[report.pdf, p. 3]" && hit["place"] == ["page": 3])
            for query in ["?q=", "?q=a&limit=0", "?q=a&limit=51", "?q=a&limit=x", "?limit=x"] {
                #expect(try await api.get(path + query).status == 400, "\(query)")
            }
            #expect(try await api.get("/api/engagements/\(Engagement.ID.make())/context").status == 404)
        }
    }
}
