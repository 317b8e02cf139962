package import Domain
package import NIOCore

/// Writes an object in the order that leaves nothing behind: its row, its bytes, and then whatever makes it part of the
/// product.
package struct BlobWriter: Sendable {
    private let store: any BlobStore
    private let catalogue: BlobCatalogue

    package init(_ store: any BlobStore, _ catalogue: BlobCatalogue) {
        self.store = store
        self.catalogue = catalogue
    }

    /// There is, or was a moment ago, an object under this key.
    package struct Taken: Error {}

    /// - Parameters:
    ///   - parts: the bytes; what they throw is thrown on.
    ///   - keep: commits ``BlobCatalogue/publish(_:size:)`` with the rows that speak of the object, and says whether it did.
    /// - Returns: what `keep` came to.
    /// - Throws: ``Taken``, ``BlobError``, and what `parts` and `keep` throw. Then, and where `keep` kept nothing, no bytes
    ///   and no row are left; a process that dies in the middle leaves them to the sweep.
    package func write<Parts: AsyncSequence & Sendable, Value: Sendable>(
        _ parts: Parts,
        as key: String,
        for tenant: Tenant.ID,
        keep: (BlobDigest) async throws -> (Value, isKept: Bool)
    ) async throws -> Value where Parts.Element == ByteBuffer {
        guard try await catalogue.begin(key, for: tenant) else { throw Taken() }
        do {
            let digest = try await store.put(parts, as: key)
            let (value, isKept) = try await keep(digest)
            if !isKept { await undo(key) }
            return value
        } catch {
            await undo(key)
            throw error
        }
    }

    /// The row decides: a COMMIT whose answer was lost may have made the object live.
    private func undo(_ key: String) async {
        // The caller may have been cancelled, and nothing may stay all the same. What fails here the sweep does again.
        await Task {
            guard (try? await catalogue.giveUp(key)) == true, (try? await store.remove(key)) != nil else { return }
            try? await catalogue.forget(key)
        }.value
    }
}
