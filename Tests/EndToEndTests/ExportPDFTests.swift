import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

/// A request for a PDF, through the API, the queue, a worker and Typst.
@Suite("PDF of an engagement", .serialized)
struct ExportPDFTests {
    private struct File: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private func get(_ caller: Caller, _ path: String) async throws -> File {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(caller.port)\(path)")
        request.headers.add(name: "Authorization", value: "Bearer \(caller.key)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(40))
        let body = try await response.body.collect(upTo: 32 << 20)
        return File(status: Int(response.status.code), headers: response.headers, bytes: Array(body.readableBytesView))
    }

    private func words(of pdf: [UInt8]) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pdf")
        try Data(pdf).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/pdftotext")
        process.arguments = ["-layout", file.path, "-"]
        process.standardOutput = pipe
        try process.run()
        let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }

    private static let typst =
        URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL.path + "/.tools/venv/bin/python3"

    private func insert(_ world: World, _ id: String, _ name: String, _ content: String, version: Int) async throws {
        _ = try await world.postgres.query(
            """
            INSERT INTO deliverables (id, tenant_id, engagement_id, task_id, filename, content, version, word_count)
            SELECT \(UUID().uuidString), tenant_id, id, 't', \(name), \(content), \(version), 1
            FROM engagements WHERE id = \(id)
            """
        )
    }

    private func create(_ caller: Caller) async throws -> String {
        let draft: JSON = ["name": "Plan for Öl", "client": "Test", "brief": "Test the export.", "budget": 5]
        return try await caller.call("POST", "/api/engagements", draft).body["id"]?.stringValue ?? ""
    }

    @Test(
        "E-55 to E-57, E-59, S-33, SC-14: the newest versions, no system files, the tenant's colour; three at once are made once"
    )
    func newest() async throws {
        let fleet = try await FleetUnderTest(extra: ["GC_TYPST": Self.typst])
        let port = freePort()
        let processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("worker")]
        let caller = try await Caller.ready(fleet, port: port)
        _ = try await fleet.world.postgres.query(
            """
            INSERT INTO webhook_endpoints (id, tenant_id, livemode, url, secret_sealed, enabled)
            SELECT 'whe_1', id, true, 'https://hooks.example.com/x', '\\x00', false FROM tenants
            """
        )
        let id = try await create(caller)
        let path = "/api/engagements/\(id)/export/pdf"
        try await insert(fleet.world, id, "_run_report_1.md", "Secret report", version: 1)
        let none = try await get(caller, path)
        #expect(none.status == 404)
        #expect(none.text == #"{"error":"No deliverables to export"}"#)
        try await insert(fleet.world, id, "market.md", "Words of one.", version: 1)
        try await insert(fleet.world, id, "market.md", "Words of two.", version: 2)
        async let first = get(caller, path)
        async let second = get(caller, path)
        async let third = get(caller, path)
        let files = try await [first, second, third]
        #expect(files.map(\.status) == [200, 200, 200])
        #expect(Set(files.map(\.bytes)).count == 1)
        #expect(try await fleet.world.count("kind = 'pdf.export' AND state = 'done'") == 1)
        let headers = files[0].headers
        #expect(headers.first(name: "Content-Type") == "application/pdf")
        let slug = Engagement.slug(of: "Plan for Öl")
        #expect(headers.first(name: "Content-Disposition") == "attachment; filename=\"\(slug)-report.pdf\"")
        let text = try words(of: files[0].bytes)
        #expect(text.contains("Words of two."))
        #expect(text.contains("No quality scores were given"))
        for word in ["Words of one.", "Secret report", "AI Provenance"] { #expect(!text.contains(word), "\(word)") }
        let with = try await get(caller, path + "?include_provenance=true")
        #expect(try words(of: with.bytes).contains("AI Provenance"))
        let events = try await fleet.world.postgres.query(
            "SELECT convert_from(body, 'UTF8')::jsonb->'data' FROM events WHERE type = 'report.generated' ORDER BY created_at"
        ).map { try $0.decode(JSON.self) }
        #expect(events.count == 4 && Set(events.compactMap { $0["exportId"]?.stringValue }).count == 4)
        #expect(events.allSatisfy { $0["engagementId"]?.stringValue == id })
        #expect(events[3]["includeProvenance"] == true && events[3]["sizeBytes"]?.intValue == with.bytes.count)
        try await look(fleet, caller, id)
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    /// The look of the tenant is part of the file; one version of one document is a file of its own.
    private func look(_ fleet: FleetUnderTest, _ caller: Caller, _ id: String) async throws {
        let plain = try await get(caller, "/api/engagements/\(id)/export/pdf")
        let tenant =
            try await fleet.world.postgres.query("SELECT tenant_id FROM engagements WHERE id = \(id)")
            .first?.decode(String.self) ?? ""
        let command = ["admin", "tenant", "brand", "--tenant", tenant, "--color", "#FFB000"]
        #expect(try await FleetProcess(command, fleet.environment).end(within: .seconds(30)) == 0)
        #expect(
            try await FleetProcess(command.dropLast() + ["blue"], fleet.environment).end(within: .seconds(30)) == 2
        )
        let branded = try await get(caller, "/api/engagements/\(id)/export/pdf")
        #expect(branded.status == 200 && branded.bytes != plain.bytes)
        let first =
            try await fleet.world.postgres.query("SELECT id FROM deliverables WHERE content = 'Words of one.'")
            .first?.decode(String.self) ?? ""
        let single = try await get(caller, "/api/engagements/\(id)/deliverables/\(first)/export?format=pdf")
        #expect(single.headers.first(name: "Content-Disposition") == #"attachment; filename="market.pdf""#)
        let text = try words(of: single.bytes)
        #expect(text.contains("Words of one.") && !text.contains("Words of two."))
        #expect(!text.contains("Contents") && !text.contains("Quality scores"))
    }

    @Test("E-58: an engagement of another tenant is not found")
    func foreign() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)")
        let owner = try await Caller.ready(fleet, port: port)
        let stranger = try await Caller.ready(fleet, port: port)
        let id = try await create(owner)
        let answer = try await get(stranger, "/api/engagements/\(id)/export/pdf")
        #expect(answer.status == 404)
        #expect(answer.text == #"{"error":"Engagement not found"}"#)
        try await api.stop()
        await fleet.close()
    }

    @Test("E-59: without Typst the export answers 503 at once, and its job says what to install")
    func noTypst() async throws {
        let fleet = try await FleetUnderTest(extra: ["GC_TYPST": "/nowhere/python3"])
        let port = freePort()
        let processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("worker")]
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await create(caller)
        try await insert(fleet.world, id, "market.md", "Words.", version: 1)
        let answer = try await get(caller, "/api/engagements/\(id)/export/pdf")
        #expect(answer.status == 503)
        #expect(answer.headers.first(name: "Retry-After") != nil)
        #expect(
            try await fleet.world.count("kind = 'pdf.export' AND dead_reason = 'refused' AND error LIKE '%setup.sh%'")
                == 1
        )
        for process in processes { try await process.stop() }
        await fleet.close()
    }
}
