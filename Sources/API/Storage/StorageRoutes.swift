import Domain
import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import Stores

/// `/storage/v1/object/…`: objects for whoever has a signed URL (contract A-16, A-17, S-46, decision D-46, D-79).
struct StorageRoutes: Routes {
    let urls: SignedURLs
    let blobs: any BlobStore
    let catalogue: BlobCatalogue
    let pace: BodyPace

    /// Objects of half a gigabyte may take half an hour.
    static let pace = BodyPace(total: .seconds(1800))

    var table: [Route] {
        [
            .get("/storage/v1/object/sign/:bucket/:shard/:name", access: .open, tier: .read, use: download),
            .put("/storage/v1/object/upload/sign/:bucket/:shard/:name", access: .open, use: upload),
        ]
    }

    // MARK: Download

    /// HEAD comes here too.
    @Sendable
    func download(_ request: APIRequest) async throws -> APIResponse {
        let grant = try grant(of: request, method: "GET")
        let key = key(of: request)
        guard BlobKey.isKey(key), let size = try await catalogue.size(of: key) else {
            throw APIError.notFound("Object not found")
        }
        // Objects never change, so their name is their tag: a resumed download cannot mix two of them.
        let tag = "\"\(request.parameters["name"] ?? "")\""
        let asked = request.headers[.ifRange].map { $0 == tag } ?? true ? request.headers[.range] : nil
        var headers = headers(grant, tag)
        switch ByteRange(asked, size: size) {
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(size)"
            return APIResponse(.rangeNotSatisfiable, raw: ResponseBody(), headers)
        case .whole:
            return APIResponse(.ok, raw: body(try await blobs.read(key, range: nil), size), headers)
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
            let reading = try await blobs.read(key, range: range)
            return APIResponse(.partialContent, raw: body(reading, range.count), headers)
        }
    }

    /// A browser saves it and never shows it as a page of ours, whatever it holds.
    private func headers(_ grant: SignedURLs.Grant, _ tag: String) -> HTTPFields {
        var headers: HTTPFields = [.contentType: grant.mimeType ?? "application/octet-stream", .eTag: tag]
        headers[.contentDisposition] = ContentDisposition.attachment(grant.filename ?? "file")
        headers[.xContentTypeOptions] = "nosniff"
        headers[.contentSecurityPolicy] = "sandbox; default-src 'none'"
        headers[.acceptRanges] = "bytes"
        return headers
    }

    private func body(_ reading: BlobReading, _ length: Int) -> ResponseBody {
        ResponseBody(contentLength: length) { writer in
            for try await part in reading.parts { try await writer.write(part) }
            try await writer.finish(nil)
        }
    }

    // MARK: Upload

    /// The whole body is the object; one that breaks off leaves nothing, and may be sent again.
    @Sendable
    func upload(_ request: APIRequest) async throws -> APIResponse {
        let grant = try grant(of: request, method: "PUT")
        let key = key(of: request)
        guard BlobKey.isKey(key), let maxBytes = grant.maxBytes, let tenant = grant.tenant else {
            throw APIError.badSignature
        }
        let length = try length(of: request, upTo: maxBytes)
        guard Self.isKind(request.headers[.contentType] ?? "", of: grant.mimeType ?? "*/*") else {
            throw APIError.invalid("Content-Type must be \(grant.mimeType ?? "set")")
        }
        let meter = BodyMeter()
        let body = RawBody(BodyReader(request.stream, length: length, meter: meter))
        do {
            try await pace.keep(meter) {
                try await BlobWriter(blobs, catalogue).write(body, as: key, for: Tenant.ID(tenant)) { digest in
                    ((), isKept: try await catalogue.publish(key, size: digest.size))
                }
            }
        } catch is BlobWriter.Taken {
            throw APIError.conflict("The object has been uploaded already, or is being uploaded")
        }
        return .ok(["key": .string(key)])
    }

    /// A body that does not say how long it is could not be told from one that broke off.
    private func length(of request: APIRequest, upTo limit: Int) throws -> Int {
        guard let length = request.announcedLength else { throw APIError.invalid("Content-Length is required") }
        guard length > 0 else { throw APIError.noFile }
        guard length <= limit else { throw APIError.full("The object may have at most \(limit) bytes") }
        return length
    }

    /// Whether `video/mp4; codecs=x` is one of `video/*`.
    private static func isKind(_ type: String, of pattern: String) -> Bool {
        let value = HeaderParameters(type).value
        guard pattern != "*/*" else { return true }
        return pattern.hasSuffix("/*")
            ? value.hasPrefix(pattern.dropLast()) && value.count > pattern.count - 1 : value == pattern
    }

    // MARK: Tokens

    private func key(of request: APIRequest) -> String {
        ["bucket", "shard", "name"].compactMap { request.parameters[$0] }.joined(separator: "/")
    }

    private func grant(of request: APIRequest, method: String) throws -> SignedURLs.Grant {
        do {
            let token = request.query["token"] ?? ""
            return try urls.grant(token, path: request.path, method: method, at: Glibc.time(nil))
        } catch .expired {
            throw APIError.forbidden("Signed URL expired")
        } catch .invalid {
            throw APIError.badSignature
        }
    }
}

extension APIError {
    static let badSignature = APIError.forbidden("Invalid signature")
}
