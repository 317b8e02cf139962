import Domain
import Jobs
import Queue
import Stores

/// `/api/engagements/:id/attachments…` (contract ), except the upload, which is ``UploadRoutes``.
struct AttachmentRoutes: Routes {
    let attachments: AttachmentStore
    let queue: JobQueue
    let links: StorageLinks

    var table: [Route] {
        [
            .get("/api/engagements/:id/attachments", use: list),
            .get("/api/engagements/:id/attachments/:attachment", use: detail),
            .delete("/api/engagements/:id/attachments/:attachment", use: delete),
        ]
    }

    @Sendable
    func list(_ request: APIRequest) async throws -> APIResponse {
        guard let found = try await attachments.list(request.id(), request.caller.tenant) else {
            throw APIError.noEngagement
        }
        return .ok(["attachments": .array(found.map(\.json))])
    }

    @Sendable
    func detail(_ request: APIRequest) async throws -> APIResponse {
        switch try await attachments.find(request.id("attachment"), in: request.id(), request.caller.tenant) {
        case .found(let attachment):
            let presentation = BlobPresentation(mimeType: attachment.mimeType, filename: attachment.filename)
            let url = try links.download(of: attachment.storageKey, as: presentation, asked: request)
            return .ok(["attachment": attachment.json, "downloadUrl": .string(url)])
        case .noEngagement: throw APIError.noEngagement
        case .noAttachment: throw APIError.noAttachment
        }
    }

    @Sendable
    func delete(_ request: APIRequest) async throws -> APIResponse {
        let tenant = try request.caller.tenant
        let outcome = try await queue.transaction { transaction in
            try await RemoveAttachment.finish(
                transaction,
                request.id("attachment"),
                in: request.id(),
                tenant,
                attachments
            )
        }
        switch outcome {
        case .deleted: return .ok(["success": true])
        case .noEngagement: throw APIError.noEngagement
        case .noAttachment: throw APIError.noAttachment
        }
    }
}
