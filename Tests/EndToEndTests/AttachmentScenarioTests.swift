import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

/// The scenarios of attachments over two API replicas and a worker.
@Suite("Attachments over two replicas", .serialized)
struct AttachmentScenarioTests {
    /// Two callers of one starter tenant, each at a replica of its own, and one of another tenant.
    private struct House {
        let installation: Installation
        let callers: [Caller]
        let stranger: Caller

        static func open() async throws -> House {
            let folder = try await TestStack.shared().folder + "/e2e-\(UInt32.random(in: 0 ... .max))"
            let installation = try await Installation.open([
                "GC_STORAGE_URL": "file://\(folder)", "GC_SIGNED_URL_TTL": "3",
            ])
            let key = try await installation.customer(.starter).key()
            let stranger = try await installation.customer(.enterprise).key().a
            return House(installation: installation, callers: [key.a, key.b], stranger: stranger)
        }

        func close() async throws { try await installation.close() }

        func engagement() async throws -> String { try await callers[0].create(name: "Files") }

        /// What the bill says, and what the list adds up to.
        func usage(_ id: String) async throws -> (billed: Int?, listed: Int) {
            let bill = try await callers[1].call("GET", "/api/billing").body
            let list = try await callers[0].call("GET", "/api/engagements/\(id)/attachments").body
            let sizes = list["attachments"]?.arrayValue?.compactMap { $0["sizeBytes"]?.intValue } ?? []
            return (bill["usage"]?["storageBytes"]?.intValue, sizes.reduce(0, +))
        }
    }

    private static func get(_ url: String) async throws -> Answer { try await Answer.to(HTTPClientRequest(url: url)) }

    /// - Parameter fields: what the form has besides the file.
    private static func upload(
        _ caller: Caller,
        _ id: String,
        _ name: String?,
        _ bytes: [UInt8],
        fields: [String: String] = [:]
    ) async throws -> Answer {
        var form = ByteBuffer()
        for (field, value) in fields {
            form.writeString("--b\r\nContent-Disposition: form-data; name=\"\(field)\"\r\n\r\n\(value)\r\n")
        }
        if let name {
            form.writeString("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n")
            form.writeString("Content-Type: application/octet-stream\r\n\r\n")
            form.writeBytes(bytes)
            form.writeString("\r\n")
        }
        form.writeString("--b--\r\n")
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(caller.port)/api/engagements/\(id)/attachments")
        request.method = .POST
        request.headers.add(contentsOf: caller.credential)
        request.headers.add(name: "Content-Type", value: "multipart/form-data; boundary=b")
        request.body = .bytes(form)
        return try await Answer.to(request, within: .seconds(60))
    }

    private static func text(_ pieces: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: pieces * 65_536) }

    @Test("SC-10: with 95 MB used one of six uploads at once fits, over both replicas, and the bill is the list's sum")
    func race() async throws {
        let house = try await House.open()
        let id = try await house.engagement()
        for number in 0..<10 {
            let made = try await Self.upload(house.callers[number % 2], id, "\(number).txt", Self.text(152))
            #expect(made.status == 201, "\(made.body.text)")
        }
        let statuses = try await atOnce(6) { number in
            try await Self.upload(house.callers[number % 2], id, "r\(number).txt", Self.text(64)).status
        }
        #expect(statuses.sorted() == [201, 413, 413, 413, 413, 413])
        var used = try await house.usage(id)
        #expect(used.billed == used.listed && used.listed == (1520 + 64) * 65_536)
        let list = try await house.callers[1].call("GET", "/api/engagements/\(id)/attachments").body
        let first = try #require(list["attachments"]?.arrayValue?.first?["id"]?.stringValue)
        #expect(try await house.callers[1].call("DELETE", "/api/engagements/\(id)/attachments/\(first)").status == 200)
        for (number, status) in [201, 201, 413].enumerated() {
            let made = try await Self.upload(house.callers[number % 2], id, "s\(number).txt", Self.text(64))
            #expect(made.status == status)
        }
        used = try await house.usage(id)
        #expect(used.billed == used.listed && used.listed == (1520 - 152 + 3 * 64) * 65_536)
        try await house.close()
    }

    @Test(
        "SC-18: a signed URL gives the same bytes to anybody for its time, from either replica, and dies with its file"
    )
    func signed() async throws {
        let house = try await House.open()
        let id = try await house.engagement()
        let bytes = Array("<script>alert(1)</script>".utf8)
        let made = try await Self.upload(house.callers[0], id, "x.html", bytes)
        let file = try #require(made.body["attachment"]?["id"]?.stringValue)
        let path = "/api/engagements/\(id)/attachments/\(file)"
        let link: @Sendable () async throws -> String = {
            let shown = try await house.callers[1].call("GET", path).body
            let url = shown["downloadUrl"]?.stringValue ?? shown["attachment"]?["downloadUrl"]?.stringValue
            let found = try #require(url, "\(shown.text)")
            return found.hasPrefix("/") ? "http://127.0.0.1:\(house.callers[0].port)\(found)" : found
        }
        let url = try await link()
        let answer = try await Self.get(url)
        #expect(answer.status == 200 && answer.bytes == bytes)
        #expect(answer.headers.first(name: "Content-Disposition")?.hasPrefix("attachment") == true)
        #expect(answer.headers.first(name: "X-Content-Type-Options") == "nosniff")
        let changed = url.dropLast() + (url.hasSuffix("A") ? "B" : "A")
        #expect(try await Self.get(String(changed)).status == 403)
        try await eventually(within: .seconds(20), "the URL to expire") { try await Self.get(url).status == 403 }
        #expect(try await Self.get(url).body["error"] == "Signed URL expired")
        let fresh = try await link()
        #expect(fresh != url)
        #expect(try await Self.get(fresh).status == 200)
        #expect(try await house.stranger.call("GET", path).status == 404)
        #expect(try await house.callers[1].call("DELETE", path).status == 200)
        #expect(try await Self.get(fresh).status == 404)
        try await house.close()
    }

    @Test("SC-21: names, types, categories and broken forms, each at either replica")
    func matrix() async throws {
        let house = try await House.open()
        let id = try await house.engagement()
        let bytes = Array("# Hello\n".utf8)
        let send: @Sendable (Int, String?, [UInt8], [String: String]) async throws -> Answer = {
            try await Self.upload(house.callers[$0 % 2], id, $1, $2, fields: $3)
        }
        for (number, name) in ["a.exe", "a.js", "a", "a.tar.gz"].enumerated() {
            #expect(try await send(number, name, bytes, [:]).status == 400, "\(name)")
        }
        #expect(try await send(0, nil, [], [:]).status == 400)
        #expect(try await send(1, "a.md", [], [:]).status == 400)
        #expect(try await send(0, "a.md", bytes, ["category": "nonsense"]).status == 400)
        #expect(try await house.usage(id).listed == 0)
        for (number, name) in ["../../etc/plan.MD", "plan.MD"].enumerated() {
            let made = try await send(number, name, bytes, [:])
            let attachment = try #require(made.body["attachment"], "\(made.body.text)")
            #expect(attachment["filename"]?.stringValue == (number == 0 ? "plan.MD" : "plan_1.MD"))
            #expect(attachment["mimeType"] == "text/markdown" && attachment["category"] == "reference")
            #expect(attachment["summary"] == .null)
        }
        #expect(try await Self.upload(house.stranger, id, "a.md", bytes).status == 404)
        let used = try await house.usage(id)
        #expect(used.billed == used.listed && used.listed == 2 * bytes.count)
        try await house.close()
    }
}
