import Domain
import Hummingbird
import Jobs
import NIOCore
import Queue
import Stores

/// `POST /api/engagements/:id/attachments` (contract ): a form whose file goes to the store as it comes.
struct UploadRoutes: Routes {
    let stores: Stores
    let queue: JobQueue
    let blobs: any BlobStore
    let idempotency: Idempotency
    let pace: BodyPace

    /// Bytes of a request besides its file (contract A-14).
    private static let overhead = 64 << 10

    var table: [Route] {
        [.upload("/api/engagements/:id/attachments", use: upload)]
    }

    @Sendable
    func upload(_ request: APIRequest) async throws -> APIResponse {
        guard let plan = try await stores.attachments.plan(for: request.id(), request.caller.tenant) else {
            throw APIError.noEngagement
        }
        let limit = plan.maxFileBytes
        guard request.announcedLength ?? 0 <= limit + Self.overhead else { throw APIError.fileTooLarge(limit) }
        let meter = BodyMeter()
        do {
            let reader = try MultipartReader(
                request.stream,
                contentType: request.headers[.contentType],
                limit: limit + Self.overhead,
                meter: meter
            )
            return try await pace.keep(meter) { try await keep(request, reader, limit) }
        } catch let fault as MultipartFault {
            throw APIError.invalid("The body cannot be read as a form: \(fault.reason)")
        } catch is MultipartReader.TooLong {
            throw APIError.fileTooLarge(limit)
        }
    }

    /// Reads the form up to its file, stores that, reads the rest, and commits.
    private func keep(_ request: APIRequest, _ reader: MultipartReader, _ limit: Int) async throws -> APIResponse {
        var fields = UploadFields()
        while let part = try await reader.nextPart() {
            guard part.name == "file" else {
                try await fields.read(part.name, from: reader)
                continue
            }
            guard let sent = part.filename, !sent.isEmpty else { throw APIError.noFile }
            let label = FileLabel(sent)
            guard let type = FileType(filename: label.text) else { throw APIError.invalid("Unsupported file type") }
            let upload = Upload(request: request, label: label, type: type)
            return try await store(
                upload,
                UploadedFile(reader: reader, examination: .init(type: type, limit: limit)),
                fields
            )
        }
        throw APIError.noFile
    }

    private func store(_ upload: Upload, _ file: UploadedFile, _ fields: UploadFields) async throws -> APIResponse {
        let key = BlobKey.make(.attachments)
        let tenant = try upload.request.caller.tenant
        return try await BlobWriter(blobs, stores.blobCatalogue).write(file, as: key, for: tenant) { digest in
            var fields = fields
            try await fields.readRest(from: file.reader)
            let new = try upload.attachment(fields, key, digest)
            return try await once(new, upload.request)
        }
    }

    /// With an `Idempotency-Key` the file of a repeated request is read, recognised by its SHA-256, and thrown away.
    private func once(_ new: NewAttachment, _ request: APIRequest) async throws -> (APIResponse, isKept: Bool) {
        guard let key = request.headers[.idempotencyKey] else { return (try await insert(new), true) }
        let content = [
            "POST", request.path, new.label.text, new.category.rawValue, new.summary ?? "", "\(new.digest.sha256)",
        ]
        let response = try await idempotency.answer(
            content: Array(content.map { "\($0.utf8.count):\($0)" }.joined().utf8),
            key: key,
            caller: request.caller
        ) { try await insert(new) }
        return (response, response.status == .created && response.headers[.idempotentReplayed] == nil)
    }

    private func insert(_ new: NewAttachment) async throws -> APIResponse {
        let outcome = try await queue.transaction { transaction in
            try await AddAttachment.finish(transaction, new, stores.attachments)
        }
        switch outcome {
        case .inserted(let attachment): return .created(["attachment": attachment.json])
        case .noEngagement: throw APIError.noEngagement
        case .full: throw APIError.storageFull
        }
    }

    /// What is known of a file before its first byte.
    private struct Upload: Sendable {
        let request: APIRequest
        let label: FileLabel
        let type: FileType

        func attachment(_ fields: UploadFields, _ key: String, _ digest: BlobDigest) throws -> NewAttachment {
            let caller = try request.caller
            return NewAttachment(
                engagement: request.id(),
                tenant: caller.tenant,
                label: label,
                mimeType: type.mimeType,
                category: fields.category,
                summary: fields.summary,
                uploadedBy: caller.user,
                storageKey: key,
                digest: digest
            )
        }
    }
}
