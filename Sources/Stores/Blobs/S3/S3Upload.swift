import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// An object on its way to S3: one request where it fits into a part, a multipart upload where not.
struct S3Upload: Sendable {
    private let exchange: S3Exchange
    private let key: String
    private let partSize: Int
    private var pending = ByteBuffer()
    /// S3's name for the multipart upload, once one has begun.
    private var upload: String?
    private var tags: [String] = []

    init(_ exchange: S3Exchange, key: String, partSize: Int) {
        self.exchange = exchange
        self.key = key
        self.partSize = partSize
    }

    mutating func append(_ buffer: ByteBuffer) async throws {
        var rest = buffer
        while rest.readableBytes > 0 {
            // Sent only when more follows: an object of exactly one part needs no multipart upload.
            if pending.readableBytes == partSize { try await sendPart() }
            let taken = min(rest.readableBytes, partSize - pending.readableBytes)
            if var slice = rest.readSlice(length: taken) { pending.writeBuffer(&slice) }
        }
    }

    mutating func finish() async throws {
        guard upload != nil else {
            _ = try await exchange.text(.init(method: "PUT", key: key, body: pending))
            return
        }
        if pending.readableBytes > 0 { try await sendPart() }
        try await complete()
    }

    /// Nothing of it is left, as far as the store can be reached.
    func abandon() async {
        if let upload {
            _ = try? await exchange.text(.init(method: "DELETE", key: key, query: [("uploadId", upload)]))
        }
        // A request whose answer was lost may have taken effect.
        _ = try? await exchange.text(.init(method: "DELETE", key: key))
    }

    // MARK: Multipart

    private mutating func sendPart() async throws {
        let upload = try await begun()
        let query = [("partNumber", String(tags.count + 1)), ("uploadId", upload)]
        let answer = try await exchange.text(.init(method: "PUT", key: key, query: query, body: pending))
        guard let tag = answer.headers.first(name: "etag") else {
            throw BlobError.unavailable("the store did not confirm a part")
        }
        tags.append(tag)
        pending.clear()
    }

    private mutating func begun() async throws -> String {
        if let upload { return upload }
        let answer = try await exchange.text(.init(method: "POST", key: key, query: [("uploads", "")]))
        guard let id = S3Exchange.between("<UploadId>", "</UploadId>", answer.text).first, !id.isEmpty else {
            throw BlobError.unavailable("the store did not begin a multipart upload")
        }
        upload = id
        return id
    }

    private func complete() async throws {
        guard let upload else { return }
        let parts = tags.enumerated().map { number, tag in
            "<Part><PartNumber>\(number + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
        }
        let list = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        let answer = try await exchange.text(
            .init(method: "POST", key: key, query: [("uploadId", upload)], body: ByteBuffer(string: list))
        )
        // This one may fail with status 200 (Amazon S3 API Reference, CompleteMultipartUpload).
        if let code = S3Exchange.between("<Code>", "</Code>", answer.text).first {
            throw BlobError.unavailable("the store did not complete the upload: \(code)")
        }
    }
}
