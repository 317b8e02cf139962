import Domain
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Attachments")
struct AttachmentRoutesTests {
    private typealias Part = FileHouse.Part

    @Test("A-1, A-2, A-4, A-5, A-7: an upload answers with exactly its keys, and the list has it, oldest first")
    func uploadAndList() async throws {
        try await FileHouse.run { house in
            let id = try await house.engagement()
            let path = "/api/engagements/\(id)/attachments"
            #expect(try await house.call("GET", path).json == ["attachments": []])
            let first = try await house.upload(id, .file("notes.md", "# Notes"))
            #expect(first.status == 201, "\(first.json.text)")
            let made = try #require(first.json["attachment"]?.objectValue)
            #expect(
                Set(made.keys) == [
                    "id", "filename", "mimeType", "sizeBytes", "category", "summary", "uploadedBy", "createdAt",
                ]
            )
            #expect(made["mimeType"] == "text/markdown" && made["sizeBytes"] == 7 && made["summary"] == .null)
            #expect(made["category"] == "reference")
            #expect(made["uploadedBy"]?.stringValue?.isEmpty == false)
            let second = try await house.upload(
                id,
                .file("b.csv", "a,b"),
                .field("summary", "Prices"),
                .field("category", "data")
            )
            let third = try await house.upload(id, .field("category", "data"), .file("c.csv", "a,b"))
            let list = try await house.call("GET", path).json
            let items = [first, second, third].map { $0.json["attachment"] ?? .null }
            #expect(list == ["attachments": .array(items)])
            #expect(items[1]["summary"] == "Prices" && items[1]["category"] == "data" && items[2]["category"] == "data")
        }
    }

    @Test("A-6, A-7, SC-21: every extension, in both cases, gets its own type, whatever the client says")
    func matrix() async throws {
        let head: [FileType: [UInt8]] = [
            .pdf: Array("%PDF-1.7".utf8), .png: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
            .jpg: [0xFF, 0xD8, 0xFF, 0xE0], .jpeg: [0xFF, 0xD8, 0xFF, 0xE0], .rtf: Array(#"{\rtf1}"#.utf8),
            .svg: Array("<svg/>".utf8),
        ]
        let zip = [0x50, 0x4B, 0x03, 0x04] + Array("[Content_Types].xml".utf8)
        let compound: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
        try await FileHouse.run { house in
            let id = try await house.engagement()
            for type in FileType.allCases {
                let bytes: [UInt8] =
                    switch type {
                    case .docx, .xlsx, .pptx, .odt, .ods, .odp, .zip: zip
                    case .doc, .xls, .ppt: compound
                    default: head[type] ?? Array("text".utf8)
                    }
                for name in ["a.\(type.rawValue)", "b.\(type.rawValue.uppercased())"] {
                    let reply = try await house.upload(id, .file(name, bytes))
                    #expect(reply.status == 201, "\(name): \(reply.json.text)")
                    #expect(reply.json["attachment"]?["mimeType"] == .string(type.mimeType), "\(name)")
                }
            }
        }
    }

    @Test("A-4, A-8, A-10: every refusal says what is wrong, and leaves no bytes, no row and no usage")
    func refusals() async throws {
        try await FileHouse.run(plan: .starter) { house in
            let id = try await house.engagement()
            let large = [UInt8](repeating: 0x61, count: (10 << 20) + 1)
            let cases: [([Part], String)] = [
                ([.file("a.exe", "x")], "Unsupported file type"), ([.file("a", "x")], "Unsupported file type"),
                ([.file("a.tar.gz", "x")], "Unsupported file type"), ([], "No file provided"),
                ([.field("summary", "s")], "No file provided"), ([.file("a.txt", "")], "No file provided"),
                ([.file("", "")], "No file provided"), ([.field("file", "x")], "No file provided"),
                ([.file("a.txt", "x"), .file("b.txt", "y")], "Only one file may be uploaded at a time"),
                ([.field("category", "nonsense"), .file("a.txt", "x")], "Invalid category"),
                ([.file("a.txt", "x"), .field("category", "nonsense")], "Invalid category"),
                ([.file("a.txt", large)], "File exceeds size limit (10 MB)"),
                ([.file("a.pdf", "hello")], "it ends in .pdf, but is text"),
                ([.file("a.txt", "x"), .field("summary", String(repeating: "s", count: 2001))], "2000 characters"),
                ([.file("a.txt", "x"), .field("summary", "a\u{0}b")], "U+0000"),
            ]
            for (parts, text) in cases {
                let body = FileHouse.form(parts)
                let path = "/api/engagements/\(id)/attachments"
                let reply = try await house.call("POST", path, body, FileHouse.formType)
                #expect(reply.status == 400, "\(text): \(reply.status)")
                #expect(reply.error?.contains(text) == true, "\(text): \(reply.error ?? "")")
                try await house.expectNothing(text)
            }
        }
    }

    @Test("A-8, X-12: a body that is no form, breaks off, or is another type is 400")
    func broken() async throws {
        try await FileHouse.run { house in
            let path = "/api/engagements/\(try await house.engagement())/attachments"
            let open = FileHouse.form([.file("a.txt", "x")], closed: false)
            let bodies: [([UInt8], String)] = [
                (open, FileHouse.formType["Content-Type"] ?? ""), (Array("{}".utf8), "application/json"),
                (FileHouse.form([.file("a.txt", "x")]), "multipart/form-data"), ([], ""),
                (FileHouse.form([.file("a.txt", "x")]), "multipart/form-data; boundary=other"),
                (Array("--\(FileHouse.boundary)garbage\r\n".utf8), FileHouse.formType["Content-Type"] ?? ""),
            ]
            for (body, type) in bodies {
                let reply = try await house.call("POST", path, body, ["Content-Type": type])
                #expect(reply.status == 400, "\(type)")
                #expect(reply.error?.hasPrefix("The body cannot be read as a form") == true, "\(reply.error ?? "")")
                try await house.expectNothing(type)
            }
        }
    }

    @Test("A-9: exactly the limit of one file is allowed")
    func exact() async throws {
        try await FileHouse.run(plan: nil) { house in
            // Without a subscription no engagement can be made by a call, and one that exists takes Starter's files.
            let id = try await FileHouse.bareEngagement(house)
            let reply = try await house.upload(id, .file("a.txt", [UInt8](repeating: 0x61, count: 10 << 20)))
            #expect(reply.status == 201, "\(reply.json.text)")
            #expect(try await house.usage() == 10 << 20)
        }
    }

    @Test("A-10, SC-10: with 95 MB used, one of six uploads of 4 MB fits, and the bytes of the others are gone")
    func total() async throws {
        try await FileHouse.run(plan: .starter) { house in
            let id = try await house.engagement()
            _ = try await house.world.postgres.query(
                """
                INSERT INTO usage_counters (tenant_id, metric, period, value)
                VALUES (\(house.tenant), 'storage_bytes', 'all', \(95 << 20)::bigint)
                """
            )
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        let bytes = [UInt8](repeating: 0x61, count: 4 << 20)
                        let reply = try await house.upload(id, .file("\(number).txt", bytes))
                        if reply.status == 413 { #expect(reply.error == "Storage limit exceeded for current plan") }
                        return reply.status
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.sorted() == [201, 413, 413, 413, 413, 413])
            #expect(try await house.usage() == 99 << 20)
            #expect(try house.files().count == 1)
            #expect(try await house.count("SELECT count(*) FROM blobs WHERE state = 'live'") == 1)
            #expect(try await house.count("SELECT count(*) FROM blobs") == 1)
        }
    }

    @Test("A-13, SC-21: names are safe labels, and equal ones are numbered")
    func names() async throws {
        try await FileHouse.run { house in
            let id = try await house.engagement()
            for (sent, label) in [
                ("../../etc/pä ss.md", "pä ss.md"), ("a.md", "a.md"), ("a.md", "a_1.md"), ("x%22y.md", "x\"y.md"),
                (#"C:\\dir\\a.md"#, "a_2.md"),
            ] {
                let reply = try await house.upload(id, .file(sent, "x"))
                #expect(reply.json["attachment"]?["filename"] == .string(label), "\(sent)")
            }
            #expect(try house.files().allSatisfy { $0.hasPrefix("attachments/") && !$0.contains("md") })
        }
    }

    @Test("A-3, A-11, A-18, SC-21: who may not, and what is not there")
    func access() async throws {
        try await FileHouse.run { house in
            let id = try await house.engagement()
            let made = try await house.upload(id, .file("a.md", "x"))
            let attachment = try #require(made.json["attachment"]?["id"]?.stringValue)
            let accounts = house.world.stores.accounts
            let reader = try #require(
                try await accounts.createKey(tenant: house.tenant, name: "r", scopes: [.readOnly], mode: .live)
            ).plaintext
            let refused = try await house.upload(id, .file("b.md", "x"), key: reader)
            #expect(refused.status == 403 && refused.error == "Write access required")
            let path = "/api/engagements/\(id)/attachments"
            #expect(try await house.call("DELETE", "\(path)/\(attachment)", key: reader).status == 403)
            #expect(try await house.call("GET", path, key: reader).status == 200)
            let other = try await accounts.createTenant(name: "O", plan: .starter)
            let stranger = try #require(
                try await accounts.createKey(tenant: other.id, name: "s", scopes: [.readWrite], mode: .live)
            ).plaintext
            for (method, place) in [
                ("GET", path), ("GET", "\(path)/\(attachment)"), ("DELETE", "\(path)/\(attachment)"),
            ] {
                let reply = try await house.call(method, place, key: stranger)
                #expect(reply.status == 404 && reply.error == "Engagement not found", "\(method) \(place)")
            }
            let upload = try await house.upload(id, .file("b.md", "x"), key: stranger)
            #expect(upload.status == 404 && upload.error == "Engagement not found")
            let second = try await house.engagement()
            let elsewhere = try await house.call("GET", "/api/engagements/\(second)/attachments/\(attachment)")
            #expect(elsewhere.status == 404 && elsewhere.error == "Attachment not found")
            #expect(try house.files().count == 1)
        }
    }

    @Test(
        "A-12, A-19, A-30, J-16: upload and removal mark the index; a removal frees the room and enqueues one job, and twice is 404"
    )
    func delete() async throws {
        try await FileHouse.run { house in
            let id = try await house.engagement()
            let made = try await house.upload(id, .file("a.md", "hello"))
            let attachment = try #require(made.json["attachment"]?["id"]?.stringValue)
            #expect(try await house.count("SELECT wanted FROM index_state") == 1)
            let path = "/api/engagements/\(id)/attachments/\(attachment)"
            let gone = try await house.call("DELETE", path)
            #expect(gone.status == 200 && gone.json == ["success": true])
            #expect(try await house.usage() == 0)
            #expect(try await house.count("SELECT wanted FROM index_state") == 2)
            #expect(
                try await house.world.count("kind = 'blob.delete' AND unique_key LIKE 'blobdel:attachments/%'") == 1
            )
            let again = try await house.call("DELETE", path)
            #expect(again.status == 404 && again.error == "Attachment not found")
            #expect(try await house.world.count("kind = 'blob.delete'") == 1)
        }
    }

    @Test("E-18, E-20: an engagement takes its files with it: usage is free, bytes are condemned")
    func engagementDeleted() async throws {
        try await FileHouse.run { house in
            let id = try await house.engagement()
            for name in ["a.md", "b.md", "c.md"] { _ = try await house.upload(id, .file(name, "hello")) }
            let other = try await house.engagement()
            _ = try await house.upload(other, .file("a.md", "stays"))
            #expect(try await house.call("DELETE", "/api/engagements/\(id)").status == 200)
            #expect(try await house.usage() == 5)
            #expect(try await house.count("SELECT count(*) FROM blobs WHERE state = 'deleting'") == 3)
            #expect(try await house.world.count("kind = 'blob.delete'") == 3)
            #expect(try await house.count("SELECT count(*) FROM attachments") == 1)
        }
    }

    @Test("A-12: the event attachment.uploaded is written once, with its delivery and its job")
    func event() async throws {
        try await FileHouse.run { house in
            _ = try await house.world.postgres.query(
                """
                INSERT INTO webhook_endpoints (id, tenant_id, livemode, url, secret_sealed)
                VALUES ('whe_1', \(house.tenant), true, 'https://example.com', '')
                """
            )
            let id = try await house.engagement()
            let made = try await house.upload(id, .file("a.md", "hello"))
            let events = try await house.world.postgres.query("SELECT convert_from(body, 'UTF8') FROM events")
            #expect(events.count == 1)
            let body = try JSON(parsing: Data(try #require(events.first).decode(String.self).utf8))
            #expect(body["type"] == "attachment.uploaded")
            let attachment = try #require(made.json["attachment"])
            #expect(
                body["data"] == [
                    "engagementId": .string(id), "attachmentId": attachment["id"] ?? .null, "filename": "a.md",
                    "mimeType": "text/markdown", "sizeBytes": 5, "category": "reference",
                ]
            )
            #expect(try await house.world.count("kind = 'webhook.deliver'") == 1)
        }
    }

    @Test("T-7: the same upload with the same Idempotency-Key is one attachment; another file under it is 409")
    func idempotency() async throws {
        try await FileHouse.run { house in
            let id = try await house.engagement()
            let headers = ["Idempotency-Key": "k1"]
            let first = try await house.upload(id, .file("a.md", "hello"), headers: headers)
            let second = try await house.upload(id, .file("a.md", "hello"), headers: headers)
            #expect(first.status == 201 && second.status == 201 && second.bytes == first.bytes)
            #expect(second.headers.first(name: "Idempotent-Replayed") == "true")
            let other = try await house.upload(id, .file("a.md", "hallo"), headers: headers)
            #expect(other.status == 409)
            #expect(try house.files().count == 1)
            #expect(try await house.count("SELECT count(*) FROM blobs") == 1)
            #expect(try await house.usage() == 5)
            let large = [UInt8](repeating: 0x61, count: 3 << 20)
            let third = try await house.upload(id, .file("b.txt", large), headers: ["Idempotency-Key": "k2"])
            #expect(third.status == 201, "\(third.json.text)")
            let bad = try await house.upload(id, .file("b.exe", "x"), headers: ["Idempotency-Key": "k3"])
            #expect(bad.status == 400)
            #expect(try await house.upload(id, .file("b.md", "x"), headers: ["Idempotency-Key": "k3"]).status == 201)
        }
    }

    @Test("X-7, X-10: the 61st write of a minute is 429, and leaves nothing")
    func rate() async throws {
        try await FileHouse.run(limits: [.api: RateLimit(count: 1, seconds: 60)]) { house in
            let id = try await house.engagement()
            #expect(try await house.upload(id, .file("a.md", "x")).status == 429)
            try await house.expectNothing("429")
        }
    }
}

extension FileHouse {
    /// An engagement of a tenant that may not make one.
    static func bareEngagement(_ house: FileHouse) async throws -> String {
        let id = Engagement.ID.make()
        _ = try await house.world.postgres.query(
            """
            INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos)
            VALUES (\(id), \(house.tenant), 'N', 'C', 'n', 'B', 1)
            """
        )
        return id.rawValue
    }
}
