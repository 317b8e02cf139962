private import Crypto
package import Domain
private import FoundationEssentials

/// The headers of a delivery: the documented signature of the house, and those of Standard Webhooks (standardwebhooks.com).
package enum WebhookSignature {
    /// - Parameter time: seconds since 1970, of this attempt.
    package static func headers(of post: WebhookPost, at time: Int) -> [(name: String, value: String)] {
        var headers = [
            ("Content-Type", "application/json"), ("User-Agent", "Groundcrew-Webhooks/1"),
            ("X-Groundtruth-Event", post.type), ("X-Groundtruth-Delivery", post.delivery),
            ("X-Groundtruth-Timestamp", String(time)), ("webhook-id", post.event),
            ("webhook-timestamp", String(time)),
            ("webhook-signature", post.secrets.compactMap { standard(post, time, $0) }.joined(separator: " ")),
        ]
        // Receivers compare this one whole, so it can carry one secret only.
        let names = ["X-Groundtruth-Signature", "X-Groundtruth-Signature-Previous"]
        for (name, secret) in zip(names, post.secrets) { headers.append((name, plain(post.body, secret))) }
        return headers
    }

    /// Lower-case hex HMAC-SHA256 of the body, keyed with the whole secret as text (contract T-21).
    private static func plain(_ body: [UInt8], _ secret: String) -> String {
        HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Data(secret.utf8))).hexadecimal
    }

    /// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with the bytes behind `gt_whsec_`.
    private static func standard(_ post: WebhookPost, _ time: Int, _ secret: String) -> String? {
        guard let key = Data(base64Encoded: String(secret.dropFirst("gt_whsec_".utf8.count))) else { return nil }
        let signed = Data("\(post.event).\(time).".utf8) + Data(post.body)
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))
        return "v1," + Data(code).base64EncodedString()
    }
}
