import Domain
import FoundationEssentials
import HTTPTypes
import Jobs
import Queue
import Stores

/// `/api/engagements/:id/export/pdf` (contract E-55…E-59).
struct ExportRoutes: Routes {
    let stores: Stores
    let queue: JobQueue

    /// How long a request waits for its file (contract E-59).
    private static let patience = Duration.seconds(25)

    var table: [Route] {
        [.get("/api/engagements/:id/export/pdf", use: pdf)]
    }

    @Sendable
    func pdf(_ request: APIRequest) async throws -> APIResponse {
        let tenant = try request.caller.tenant
        let id: Engagement.ID = request.id()
        let withProvenance = request.query["include_provenance"] == "true"
        guard let material = try await stores.exports.material(id, tenant, withProvenance: withProvenance) else {
            throw APIError.notFound("Engagement not found")
        }
        guard !material.report.parts.isEmpty else { throw APIError.notFound("No deliverables to export") }
        let hash = ExportFiles.hash(of: material.report)
        let job = ExportPDF(engagement: id, tenant: tenant, withProvenance: withProvenance)
        let found = try await stores.exportFiles.find(hash, tenant)
        let bytes = if let found { found } else { try await make(job, hash, tenant) }
        let report = ReportFacts(
            engagement: id,
            tenant: tenant,
            filename: "\(material.slug)-report.pdf",
            bytes: bytes.count,
            withProvenance: withProvenance
        )
        try await AnnounceReport.run(report, queue)
        return .pdf(bytes, filename: report.filename)
    }

    /// - Throws: ``Overload`` where too many exports wait; 503 where the file is not there in time, or its worker cannot make any; 500 where making it failed.
    private func make(_ job: ExportPDF, _ hash: String, _ tenant: Tenant.ID) async throws -> [UInt8] {
        let key = ExportPDF.uniqueKey(hash, tenant)
        let export = ExportPDF.policy.queue.rawValue
        if let overload = try await queue.backpressure.verdict(on: export, tenant: tenant.rawValue) { throw overload }
        let added = try await queue.enqueue(job, tenant: tenant.rawValue, uniqueKey: key)
        let maker = if let added { added } else { try await stores.exportFiles.maker(key) }
        var made = hash
        if let maker { made = try await answer(of: maker) ?? hash }
        guard let bytes = try await stores.exportFiles.find(made, tenant) else { throw APIError.unavailable }
        return bytes
    }

    /// The hash of what the job has made.
    private func answer(of maker: Int) async throws -> String? {
        let end: JobEnd
        do {
            end = try await queue.result(of: maker, within: Self.patience)
        } catch is ResultError {
            throw APIError.unavailable
        }
        switch end {
        case .done(let result):
            return try result.flatMap { try JSON(parsing: Data($0.utf8))["hash"]?.stringValue }
        case .cancelled: throw APIError.notFound("No deliverables to export")
        case .dead(.refused, _): throw APIError.unavailable
        case .dead: throw APIError.internal
        }
    }
}

extension APIResponse {
    /// A file that a browser saves and never shows as a page of ours.
    fileprivate static func pdf(_ bytes: [UInt8], filename: String) -> APIResponse {
        var response = APIResponse(.ok, file: bytes, type: "application/pdf")
        // A slug holds letters, digits and dashes only.
        response.headers[.contentDisposition] = "attachment; filename=\"\(filename)\""
        return response
    }
}
