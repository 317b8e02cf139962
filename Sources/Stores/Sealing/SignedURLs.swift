import Crypto
import FoundationEssentials

/// Paths that open for a while for whoever has them (contract, decision D-46): `…?token=<grant>.<until>.<signature>`.
///
/// The signature is HMAC-SHA256 over method, path, grant and end, with a key of its own (HKDF-SHA256, RFC 5869). The grant is
/// sealed (AES-256-GCM) with another one: whoever holds a URL learns nothing from it, such as whose object it is.
package struct SignedURLs: Sendable {
    private let key: SymmetricKey
    private let sealer: Sealer

    /// - Parameter secret: the installation's secret, `GC_SECRET_KEY`, the same in all processes.
    package init(secret: [UInt8]) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret),
            info: Data("groundcrew:signed urls".utf8),
            outputByteCount: 32
        )
        sealer = Sealer(secret: secret, purpose: "signed grants")
    }

    /// What the holder of a URL gets. Nobody but us can read it in the token, or change it.
    package struct Grant: Codable, Sendable, Equatable {
        /// Media type of a download; of an upload, or its kind with a star (`video/*`).
        package var mimeType: String?
        /// The name a download is saved under.
        package var filename: String?
        /// Bytes that an upload may have.
        package var maxBytes: Int?
        /// Whose object an upload becomes.
        package var tenant: String?

        package init(
            mimeType: String? = nil,
            filename: String? = nil,
            maxBytes: Int? = nil,
            tenant: String? = nil
        ) {
            self.mimeType = mimeType
            self.filename = filename
            self.maxBytes = maxBytes
            self.tenant = tenant
        }
    }

    /// Why a token does not open a path.
    package enum Refusal: Error, Equatable {
        /// It did once.
        case expired
        case invalid
    }

    /// Where a stored object is read without a credential.
    package static func downloadPath(of key: String) -> String { "/storage/v1/object/sign/\(key)" }

    /// Where an object is written without a credential.
    package static func uploadPath(of key: String) -> String { "/storage/v1/object/upload/sign/\(key)" }

    /// A path with its token; every call gives another one.
    ///
    /// - Parameters:
    ///   - method: `GET`, which opens HEAD too, or `PUT`.
    ///   - until: seconds since 1970 at which it closes.
    package func signed(_ path: String, method: String, _ grant: Grant, until: Int) throws -> String {
        let json = String(decoding: try JSONEncoder().encode(grant), as: UTF8.self)
        let rest = "\(Self.text(of: try sealer.seal(json, for: path))).\(until)"
        return "\(path)?token=\(rest).\(signature(of: rest, method: method, path: path))"
    }

    /// - Parameter now: seconds since 1970.
    package func grant(_ token: String, path: String, method: String, at now: Int) throws(Refusal) -> Grant {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let until = Int(parts[1]) else { throw .invalid }
        let rest = "\(parts[0]).\(parts[1])"
        // Texts are compared, not what they decode to: base64 has several texts for the same bytes.
        let right = signature(of: rest, method: method, path: path)
        guard ConstantTime.areEqual(right.utf8, parts[2].utf8) else { throw .invalid }
        guard now < until else { throw .expired }
        guard let grant = sealed(parts[0], path) ?? Self.open(parts[0]) else { throw .invalid }
        return grant
    }

    private func sealed(_ text: Substring, _ path: String) -> Grant? {
        guard let bytes = Self.bytes(of: text), let json = try? sealer.open(Array(bytes), for: path) else { return nil }
        return try? JSONDecoder().decode(Grant.self, from: Data(json.utf8))
    }

    /// As releases before this one wrote it, readable behind a nonce of twelve characters: those that are about still open.
    private static func open(_ text: Substring) -> Grant? {
        bytes(of: text.dropFirst(12)).flatMap { try? JSONDecoder().decode(Grant.self, from: $0) }
    }

    private func signature(of rest: String, method: String, path: String) -> String {
        let text = "\(method)\n\(path)\n\(rest)"
        return Self.text(of: HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
    }

    // MARK: base64url (RFC 4648, section 5), without padding

    private static func text(of bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func bytes(of text: Substring) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: String(plain) + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
    }
}
