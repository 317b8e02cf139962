package import NIOCore

/// The store of a process that was given none: everything works but files, and those say what to set.
package struct AbsentBlobs: BlobStore {
    package init() {}

    private static let reason = BlobError.unavailable("GC_STORAGE_URL is not set; see docs/attachments.md")

    package func put<Parts: AsyncSequence & Sendable>(_ parts: Parts, as key: String) async throws -> BlobDigest
    where Parts.Element == ByteBuffer {
        throw Self.reason
    }

    package func read(_ key: String, range: Range<Int>?) async throws -> BlobReading { throw Self.reason }

    package func withFile<Result: Sendable>(
        _ key: String,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        throw Self.reason
    }

    package func remove(_ key: String) async throws { throw Self.reason }
}
