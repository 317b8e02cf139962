private import Crypto
private import FoundationEssentials

/// Encrypts secrets that rest in the database: AES-256-GCM, with a key derived (HKDF-SHA256, RFC 5869) per purpose.
package struct Sealer: Sendable {
    private let key: SymmetricKey

    /// A sealed value cannot be used.
    package enum Failure: Error, CustomStringConvertible {
        case value

        package var description: String {
            switch self {
            case .value: "A sealed value cannot be opened: GC_SECRET_KEY is another one than when it was sealed."
            }
        }
    }

    /// - Parameters:
    ///   - secret: the installation's secret, `GC_SECRET_KEY`.
    ///   - purpose: keys of different purposes tell nothing of each other.
    init(secret: [UInt8], purpose: String) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret),
            info: Data("groundcrew:\(purpose)".utf8),
            outputByteCount: 32
        )
    }

    /// For the signing secrets of webhook endpoints.
    package static func webhooks(_ secret: [UInt8]) -> Sealer { Sealer(secret: secret, purpose: "webhooks") }

    /// For stored answers, which may hold a key that is shown once.
    package static func answers(_ secret: [UInt8]) -> Sealer { Sealer(secret: secret, purpose: "stored answers") }

    /// - Parameter owner: bound to the value: it opens only with the same one, so that rows cannot be swapped.
    /// - Returns: nonce, ciphertext and tag.
    package func seal(_ text: String, for owner: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(Data(text.utf8), using: key, authenticating: Data(owner.utf8))
        guard let bytes = box.combined else { throw Failure.value }
        return Array(bytes)
    }

    /// - Throws: ``Failure/value`` where key or owner is another one, or the value was changed.
    package func open(_ bytes: [UInt8], for owner: String) throws(Failure) -> String {
        do {
            let text = try AES.GCM.open(
                AES.GCM.SealedBox(combined: bytes),
                using: key,
                authenticating: Data(owner.utf8)
            )
            return String(decoding: text, as: UTF8.self)
        } catch {
            throw .value
        }
    }
}
