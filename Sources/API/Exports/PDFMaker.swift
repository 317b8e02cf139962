import Domain
import FoundationEssentials
import HTTPTypes
import Jobs
import Queue
import Stores

/// Finds a PDF that was made before, or has a worker make it while the request waits (contract E-59).
struct PDFMaker: Sendable {
    let stores: Stores
    let queue: JobQueue

    /// How long a request waits for its file.
    private static let patience = Duration.seconds(25)

    /// - Parameter job: what makes this report.
    /// - Throws: ``Overload`` where too many exports wait; 503 where the file is not there in time, or its worker cannot
    ///   make any; 500 where making it failed.
    func pdf(of report: ClientReport, by job: ExportPDF) async throws -> [UInt8] {
        let hash = ExportFiles.hash(of: report)
        if let found = try await stores.exportFiles.find(hash, job.tenant) { return found }
        return try await make(job, hash)
    }

    private func make(_ job: ExportPDF, _ hash: String) async throws -> [UInt8] {
        let tenant = job.tenant
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
    ///
    /// - Parameter filename: letters, digits and `._-` only.
    static func pdf(_ bytes: [UInt8], filename: String) -> APIResponse {
        var response = APIResponse(.ok, file: bytes, type: "application/pdf")
        response.headers[.contentDisposition] = "attachment; filename=\"\(filename)\""
        return response
    }
}
