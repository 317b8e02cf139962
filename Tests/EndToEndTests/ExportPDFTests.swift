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
    private func get(_ caller: Caller, _ path: String) async throws -> Answer {
        try await caller.ask("GET", path, within: .seconds(40))
    }

    private func insert(_ world: World, _ id: String, _ name: String, _ content: String, version: Int) async throws {
        _ = try await world.postgres.query(
            """
            INSERT INTO deliverables (id, tenant_id, engagement_id, task_id, filename, content, version, word_count)
            SELECT \(UUID().uuidString), tenant_id, id, 't', \(name), \(content), \(version), 1
            FROM engagements WHERE id = \(id)
            """
        )
    }

    @Test(
        "E-55, E-56, S-33: without scores it says so, and no file of the crew's own is in it; the tenant's colour is, and one version of one document is a file of its own"
    )
    func newest() async throws {
        let fleet = try await FleetUnderTest(extra: ["GC_TYPST": Scene.typst])
        let port = freePort()
        let processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("worker")]
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await caller.create(name: "Plan for Öl")
        try await insert(fleet.world, id, "_run_report_1.md", "Secret report", version: 1)
        try await insert(fleet.world, id, "market.md", "Words of one.", version: 1)
        try await insert(fleet.world, id, "market.md", "Words of two.", version: 2)
        let file = try await get(caller, "/api/engagements/\(id)/export/pdf")
        let text = try words(ofPDF: file.bytes)
        #expect(file.status == 200 && text.contains("Words of two."))
        #expect(text.contains("No quality scores were given"))
        for word in ["Words of one.", "Secret report", "AI Provenance"] { #expect(!text.contains(word), "\(word)") }
        try await look(fleet, caller, id, file)
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    /// The look of the tenant is part of the file; one version of one document is a file of its own.
    private func look(_ fleet: FleetUnderTest, _ caller: Caller, _ id: String, _ plain: Answer) async throws {
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
        let text = try words(ofPDF: single.bytes)
        #expect(text.contains("Words of one.") && !text.contains("Words of two."))
        #expect(!text.contains("Contents") && !text.contains("Quality scores"))
    }

    @Test("E-59: without Typst the export answers 503 at once, and its job says what to install")
    func noTypst() async throws {
        let fleet = try await FleetUnderTest(extra: ["GC_TYPST": "/nowhere/python3"])
        let port = freePort()
        let processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("worker")]
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await caller.create(name: "Plan for Öl")
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
