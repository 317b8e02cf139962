import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-14, E-27, E-55 to E-59: the PDF has the newest versions with their scores, for who may read; each export is told once, and three at once are made once"
    )
    func pdf() async throws {
        let scene = try #require(Scene.current)
        let t1 = try await scene.house.customer(.enterprise)
        try await scene.hear(t1)
        let k1 = try await t1.key()
        let id = try await k1.a.create([["id": "market", "title": "Market analysis"]], name: "Plan for  Öl")
        let path = "/api/engagements/\(id)/export/pdf"
        let none = try await k1.a.ask("GET", path)
        #expect(none.status == 404 && none.text == #"{"error":"No deliverables to export"}"#)
        for replica in [k1.a, k1.b] {
            try await replica.start(id)
            try await replica.wait(id, for: "completed")
        }
        #expect(try await scene.heard(4, of: t1).count == 4, "a 404 tells nobody")
        let files = try await atOnce(3) { try await k1[$0].ask("GET", path, within: .seconds(40)) }
        #expect(files.map(\.status) == [200, 200, 200] && Set(files.map(\.bytes)).count == 1)
        #expect(try await scene.house.fleet.world.count("tenant = \(t1.id) AND kind = 'pdf.export'") == 1)
        try await newest(try #require(files.first), id, k1.b)
        try await provenance(path + "?include_provenance=true", id, k1.b)
        try await readers(path, t1, scene.house)
        let reports = try await scene.heard(9, of: t1).filter { $0.type == "report.generated" }
        #expect(reports.count == 5 && Set(reports.map(\.id)).count == 5)
        #expect(reports.allSatisfy { $0.data["engagementId"]?.stringValue == id })
        #expect(reports.count { $0.data["includeProvenance"] == true } == 1)
        #expect(reports.count { $0.data["sizeBytes"]?.intValue == files.first?.bytes.count } == 4)
    }

    private func newest(_ file: Answer, _ id: String, _ caller: Caller) async throws {
        #expect(file.bytes.starts(with: "%PDF-".utf8))
        #expect(file.headers.first(name: "Content-Type") == "application/pdf")
        let shown = try await caller.call("GET", "/api/engagements/\(id)").body
        let slug = try #require(shown["slug"]?.stringValue)
        #expect(file.headers.first(name: "Content-Disposition") == "attachment; filename=\"\(slug)-report.pdf\"")
        let versions = shown["deliverables"]?.arrayValue?.filter { $0["filename"] == "market.md" } ?? []
        #expect(versions.map { $0["version"] } == [2, 1])
        let lines = versions.compactMap { $0["content"]?.stringValue?.split(separator: "\n").last.map(String.init) }
        let text = try words(ofPDF: file.bytes)
        #expect(lines.count == 2 && text.contains(lines[0]) && !text.contains(lines[1]), "\(lines)")
        #expect(!text.contains("_run_report_") && !text.contains("AI Provenance"))
        let score = try #require(try await score(id, caller))
        #expect(text.contains("Quality scores") && text.contains(score), "\(score)")
    }

    private func provenance(_ path: String, _ id: String, _ caller: Caller) async throws {
        let file = try await caller.ask("GET", path, within: .seconds(40))
        #expect(file.status == 200)
        let text = try words(ofPDF: file.bytes)
        let cost = try #require(try await caller.run(of: id)?["estimatedCost"]?.doubleValue)
        #expect(cost > 0)
        for word in ["AI Provenance", Scene.model, "$" + String(format: "%.4f", cost)] {
            #expect(text.contains(word), "\(word)")
        }
    }

    /// A viewer may read it; who was suspended, and another tenant, may not.
    private func readers(_ path: String, _ customer: Customer, _ house: Installation) async throws {
        let owner = try await customer.owner()
        let viewer = try await customer.member(.viewer, by: owner)
        #expect(try await viewer.session.a.ask("GET", path, within: .seconds(40)).status == 200)
        let change = try await owner.b.call("PATCH", "/api/team/\(viewer.id)", ["status": "suspended"])
        #expect(change.status == 200)
        let suspended = try await viewer.session.b.ask("GET", path)
        #expect(suspended.status == 403 && suspended.body == ["error": "Insufficient permissions"])
        let k2 = try await house.customer(.starter).key()
        let foreign = try await k2.a.ask("GET", path)
        #expect(foreign.status == 404 && foreign.text == #"{"error":"Engagement not found"}"#)
    }

    /// As the report prints it: 7 and 7.4.
    private func score(_ id: String, _ caller: Caller) async throws -> String? {
        let quality = try await caller.call("GET", "/api/engagements/\(id)/quality").body
        let score = quality["scores"]?.arrayValue?.first?["score"]?.doubleValue
        return score.map { $0 == $0.rounded() ? String(Int($0)) : String($0) }
    }
}
