import AsyncHTTPClient
import Crypto
import Domain
import FoundationEssentials
import Glibc
package import NIOCore
import NIOHTTP1

/// Objects in a bucket of any S3-compatible store (`s3://…`), addressed by path.
///
/// At most two parts of 8 MiB are in memory for an upload. Objects larger than one part are multipart uploads: they appear
/// under their key when they are completed, and not before.
package struct S3Blobs: BlobStore {
    private let exchange: S3Exchange
    private let partSize: Int

    /// - Parameters:
    ///   - accessKey: `AWS_ACCESS_KEY_ID`
    ///   - secretKey: `AWS_SECRET_ACCESS_KEY`
    ///   - partSize: bytes; S3 wants 5 MiB or more for all but the last part.
    package init(_ location: S3Location, accessKey: String, secretKey: String, partSize: Int = 8 << 20) {
        exchange = S3Exchange(location, accessKey: accessKey, secretKey: secretKey)
        self.partSize = partSize
    }

    package func put<Parts: AsyncSequence & Sendable>(_ parts: Parts, as key: String) async throws -> BlobDigest
    where Parts.Element == ByteBuffer {
        guard BlobKey.isKey(key) else { throw BlobError.missing }
        var upload = S3Upload(exchange, key: key, partSize: partSize)
        var hash = SHA256()
        var size = 0
        do {
            for try await part in parts {
                part.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
                size += part.readableBytes
                try await upload.append(part)
            }
            try Task.checkCancellation()
            try await upload.finish()
        } catch {
            // The caller may have been cancelled, and nothing may stay all the same.
            await Task { [upload] in await upload.abandon() }.value
            throw error
        }
        return BlobDigest(size: size, sha256: Array(hash.finalize()))
    }

    package func read(_ key: String, range: Range<Int>?) async throws -> BlobReading {
        guard BlobKey.isKey(key) else { throw BlobError.missing }
        if let range, range.isEmpty { return try await empty(key) }
        let headers = range.map { [("range", "bytes=\($0.lowerBound)-\($0.upperBound - 1)")] } ?? []
        let response = try await exchange.send(.init(method: "GET", key: key, headers: headers))
        guard response.status.code != 416 else { return try await empty(key) }
        let length = response.headers.first(name: "content-length").flatMap { Int($0) }
        // `bytes 0-9/443`
        let total = response.headers.first(name: "content-range")?.split(separator: "/").last.flatMap { Int($0) }
        guard let size = total ?? length else { throw BlobError.unavailable("the store did not say how large it is") }
        let body = S3Body(response.body.makeAsyncIterator())
        return BlobReading(size: size, parts: AsyncThrowingStream(unfolding: { try await body.next() }))
    }

    package func withFile<Result: Sendable>(
        _ key: String,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let reading = try await read(key, range: nil)
        let folder = "/tmp/groundcrew-\(CUID.make())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A tenant's file: nobody else on this machine may look.
        guard mkdir(folder, 0o700) == 0 else { throw BlobError.unavailable("no folder for a working copy") }
        let copies = LocalBlobs(folder: folder)
        let copy = BlobKey.make(.attachments)
        _ = try await copies.put(reading.parts, as: copy)
        return try await copies.withFile(copy, body)
    }

    package func remove(_ key: String) async throws {
        guard BlobKey.isKey(key) else { return }
        do {
            _ = try await exchange.text(.init(method: "DELETE", key: key))
        } catch BlobError.missing {}
        for upload in try await unfinished(key) {
            _ = try? await exchange.text(.init(method: "DELETE", key: key, query: [("uploadId", upload)]))
        }
    }

    /// Asks the store whether address, keys and bucket are right.
    ///
    /// - Throws: ``BlobError``; ``BlobError/missing`` where there is no such bucket.
    package func check() async throws {
        _ = try await exchange.text(.init(method: "GET", query: [("list-type", "2"), ("max-keys", "1")]))
    }

    private func empty(_ key: String) async throws -> BlobReading {
        let response = try await exchange.send(.init(method: "HEAD", key: key))
        let size = response.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        return BlobReading(size: size, parts: AsyncThrowingStream(unfolding: { nil }))
    }

    /// Multipart uploads of this key that nobody completed.
    private func unfinished(_ key: String) async throws -> [String] {
        do {
            let list = try await exchange.text(.init(method: "GET", query: [("prefix", key), ("uploads", "")]))
            return S3Exchange.between("<UploadId>", "</UploadId>", list.text)
        } catch BlobError.missing {
            return []
        }
    }
}

/// Hands one answer's body on, piece by piece.
private actor S3Body {
    private var iterator: HTTPClientResponse.Body.AsyncIterator

    init(_ iterator: sending HTTPClientResponse.Body.AsyncIterator) {
        self.iterator = iterator
    }

    func next() async throws -> ByteBuffer? {
        var taken = iterator
        defer { iterator = taken }
        do {
            return try await taken.next(isolation: self)
        } catch {
            throw S3Exchange.broken(error)
        }
    }
}
