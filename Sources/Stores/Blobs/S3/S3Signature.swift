import Crypto
package import Domain
import FoundationEssentials

/// AWS Signature Version 4 for S3 (Amazon S3 API Reference, “Authenticating Requests (AWS Signature Version 4)”).
package struct S3Signature: Sendable {
    private let accessKey: String
    private let secretKey: String
    private let region: String

    package init(accessKey: String, secretKey: String, region: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.region = region
    }

    /// What is signed.
    package struct Request: Sendable {
        package let method: String
        /// As it will be sent: every byte but the unreserved ones and slashes as `%XX` (``S3Signature/encoded(_:keepingSlashes:)``).
        package let path: String
        /// Not encoded yet.
        package let query: [(name: String, value: String)]
        /// Names in lower case, `host` among them.
        package let headers: [(name: String, value: String)]

        package init(
            method: String,
            path: String,
            query: [(name: String, value: String)] = [],
            headers: [(name: String, value: String)]
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
        }
    }

    /// The value of the Authorization header.
    ///
    /// - Parameters:
    ///   - payload: SHA-256 of the body in hex, which the headers hold too.
    ///   - moment: of the signing, as the header `x-amz-date` has it.
    package func authorization(_ request: Request, payload: String, at moment: Timestamp) -> String {
        let signed = Self.sorted(request.headers)
        let signature = signature(request, headers: signed, payload: payload, at: moment)
        return "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope(moment)),SignedHeaders=\(Self.names(signed)),"
            + "Signature=\(signature)"
    }

    // MARK: Parts

    private func signature(
        _ request: Request,
        headers: [(name: String, value: String)],
        payload: String,
        at moment: Timestamp
    ) -> String {
        let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
        let canonical = [
            request.method, request.path, Self.canonical(request.query), lines, Self.names(headers), payload,
        ].joined(separator: "\n")
        let text = "AWS4-HMAC-SHA256\n\(Self.stamp(moment))\n\(scope(moment))\n\(Self.hash(canonical.utf8))"
        let steps = [Self.day(moment), region, "s3", "aws4_request", text]
        let last = steps.reduce(Array("AWS4\(secretKey)".utf8)) { key, step in
            Array(HMAC<SHA256>.authenticationCode(for: Array(step.utf8), using: SymmetricKey(data: key)))
        }
        return Self.hex(last)
    }

    private func scope(_ moment: Timestamp) -> String { "\(Self.day(moment))/\(region)/s3/aws4_request" }

    private static func names(_ headers: [(name: String, value: String)]) -> String {
        headers.map(\.name).joined(separator: ";")
    }

    private static func sorted(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        headers.sorted { $0.name < $1.name }
    }

    /// The query as it is signed and sent.
    package static func canonical(_ query: [(name: String, value: String)]) -> String {
        query.map { (encoded($0.name, keepingSlashes: false), encoded($0.value, keepingSlashes: false)) }
            .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// RFC 3986's unreserved characters stay, every other byte becomes `%XX`.
    package static func encoded(_ text: String, keepingSlashes: Bool) -> String {
        text.utf8.reduce(into: "") { out, byte in
            let character = Character(Unicode.Scalar(byte))
            let stays = character.isASCII && (character.isLetter || character.isNumber || "-._~".contains(character))
            if stays || (keepingSlashes && character == "/") {
                out.append(character)
            } else {
                out += "%" + hex([byte]).uppercased()
            }
        }
    }

    /// `20130524T000000Z`
    package static func stamp(_ moment: Timestamp) -> String {
        moment.seconds.filter { $0 != "-" && $0 != ":" }
    }

    private static func day(_ moment: Timestamp) -> String { String(stamp(moment).prefix(8)) }

    /// SHA-256 in hex.
    package static func hash(_ bytes: some Sequence<UInt8>) -> String { hex(SHA256.hash(data: Array(bytes))) }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
