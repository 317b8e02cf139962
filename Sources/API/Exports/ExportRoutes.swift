import Domain
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Queue
import Stores

/// Files to keep: the PDF of an engagement, and one document as Markdown or PDF (contract E-55…E-59, S-33).
struct ExportRoutes: Routes {
    let stores: Stores
    let queue: JobQueue

    private var maker: PDFMaker { PDFMaker(stores: stores, queue: queue) }

    var table: [Route] {
        [
            .get("/api/engagements/:id/export/pdf", use: pdf),
            .get("/api/engagements/:id/deliverables/:document/export", use: document),
        ]
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
        let job = ExportPDF(engagement: id, tenant: tenant, withProvenance: withProvenance)
        let bytes = try await maker.pdf(of: material.report, by: job)
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

    // MARK: One document

    @Sendable
    func document(_ request: APIRequest) async throws -> APIResponse {
        let found = try await stores.deliverables.one(request.id("document"), in: request.id(), request.caller.tenant)
        guard let document = found?.document else { throw APIError.noRoute }
        switch request.query["format"] ?? "md" {
        case "md": return Self.markdown(document)
        case "pdf": return try await pdf(of: document, request)
        default: throw APIError.invalid("format must be md or pdf")
        }
    }

    private static func markdown(_ document: DeliverableRow) -> APIResponse {
        var headers = HTTPFields()
        headers[.contentType] = "text/markdown; charset=utf-8"
        headers[.contentDisposition] = "attachment; filename=\"\(label(document.filename, "md"))\""
        headers[.contentTypeOptions] = "nosniff"
        return APIResponse(.ok, raw: ResponseBody(byteBuffer: ByteBuffer(string: document.content)), headers)
    }

    private func pdf(of document: DeliverableRow, _ request: APIRequest) async throws -> APIResponse {
        let tenant = try request.caller.tenant
        let id: Engagement.ID = request.id()
        let material = try await stores.exports.material(id, tenant, document: document.id)
        guard let material, !material.report.parts.isEmpty else { throw APIError.noRoute }
        let job = ExportPDF(engagement: id, tenant: tenant, withProvenance: false, document: document.id)
        let bytes = try await maker.pdf(of: material.report, by: job)
        let name = document.filename.hasSuffix(".md") ? String(document.filename.dropLast(3)) : document.filename
        return .pdf(bytes, filename: Self.label(name, "pdf"))
    }

    /// A file name that can stand in a header: letters, digits and `._-`; anything else becomes `_`.
    private static func label(_ filename: String, _ ending: String) -> String {
        let name = filename.hasSuffix(".\(ending)") ? filename : "\(filename).\(ending)"
        return String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" })
    }
}
