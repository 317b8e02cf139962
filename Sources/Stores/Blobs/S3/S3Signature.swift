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
        /// As it will be sent: every byte but the unreserved ones and slashes as `%XX` (``String/percentEncoded(keeping:)``).
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
        return last.hexadecimal
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
        query.map { ($0.name.percentEncoded(), $0.value.percentEncoded()) }
            .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// `20130524T000000Z`
    package static func stamp(_ moment: Timestamp) -> String {
        moment.seconds.filter { $0 != "-" && $0 != ":" }
    }

    private static func day(_ moment: Timestamp) -> String { String(stamp(moment).prefix(8)) }

    /// SHA-256 in hex.
    package static func hash(_ bytes: some Sequence<UInt8>) -> String { SHA256.hash(data: Array(bytes)).hexadecimal }
}
