package import NIOCore

/// Keeps bytes under keys: a local folder, or a bucket of an S3-compatible store (`GC_STORAGE_URL`).
///
/// A key is `bucket/random`, made by ``BlobKey`` and never by a caller. An object is written once and never changed.
package protocol BlobStore: Sendable {
    /// Writes a whole object. It is durable when this returns; after a throw nothing of it is left under the key.
    ///
    /// - Parameter parts: read as they come, so that memory holds a few of them only; what it throws is thrown on.
    /// - Returns: how many bytes it had, and their SHA-256.
    func put<Parts: AsyncSequence & Sendable>(_ parts: Parts, as key: String) async throws -> BlobDigest
    where Parts.Element == ByteBuffer

    /// Reads an object, or a part of it.
    ///
    /// - Parameter range: in bytes, clamped to the object; nil is the whole.
    /// - Throws: ``BlobError/missing``.
    func read(_ key: String, range: Range<Int>?) async throws -> BlobReading

    /// Gives `body` a local file with the object's bytes, which it only reads; a copy is gone when it returns.
    ///
    /// - Throws: ``BlobError/missing``, and what `body` throws.
    func withFile<Result: Sendable>(_ key: String, _ body: (String) async throws -> Result) async throws -> Result

    /// Removes an object, and what a broken write has left of it; one that is not there is no fault.
    func remove(_ key: String) async throws
}

/// How a download shows itself to a browser.
package struct BlobPresentation: Sendable, Equatable {
    package let mimeType: String
    /// The name it is saved under.
    package let filename: String

    package init(mimeType: String, filename: String) {
        self.mimeType = mimeType
        self.filename = filename
    }
}

/// What was written.
package struct BlobDigest: Sendable, Equatable {
    package let size: Int
    /// 32 bytes.
    package let sha256: [UInt8]

    package init(size: Int, sha256: [UInt8]) {
        self.size = size
        self.sha256 = sha256
    }
}

/// An object that is being read.
package struct BlobReading: Sendable {
    /// Of the whole object.
    package let size: Int
    package let parts: AsyncThrowingStream<ByteBuffer, any Error>

    package init(size: Int, parts: AsyncThrowingStream<ByteBuffer, any Error>) {
        self.size = size
        self.parts = parts
    }
}

/// Why a store did not do what it was asked. No address or key of the store is in the text.
package enum BlobError: Error, Equatable, CustomStringConvertible {
    case missing
    /// The store is full, away, or refuses us: what it said.
    case unavailable(String)

    package var description: String {
        switch self {
        case .missing: "the stored object is gone"
        case .unavailable(let reason): "the blob store does not work: \(reason)"
        }
    }
}
