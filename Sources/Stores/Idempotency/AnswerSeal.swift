private import Crypto
private import FoundationEssentials
import PostgresClient

/// Seals stored answers with AES-256-GCM: they may hold a secret that is shown once.
package struct AnswerSeal: Sendable {
    private let key: SymmetricKey

    /// - Parameter secret: the installation's secret, 32 bytes; the key is derived from it (HKDF-SHA256, RFC 5869).
    package init(secret: [UInt8]) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret),
            info: Data("groundcrew stored answers 1".utf8),
            outputByteCount: 32
        )
    }

    /// - Parameter binding: what the text belongs to; it opens with the same one only.
    func seal(_ text: String, binding: String) throws -> PostgresBytes {
        let box = try AES.GCM.seal(Data(text.utf8), using: key, authenticating: Data(binding.utf8))
        guard let combined = box.combined else { throw PostgresError(.unexpectedResult, "no sealed answer") }
        return PostgresBytes(combined)
    }

    /// - Throws: where the bytes were changed, belong elsewhere, or were sealed with another secret.
    func open(_ sealed: PostgresBytes, binding: String) throws -> String {
        let box = try AES.GCM.SealedBox(combined: Data(sealed.bytes))
        return String(decoding: try AES.GCM.open(box, using: key, authenticating: Data(binding.utf8)), as: UTF8.self)
    }
}
