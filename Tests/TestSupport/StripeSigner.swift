import Crypto
import Domain
import Foundation

/// Signs bodies as Stripe does.
package enum StripeSigner {
    /// Lower-case hex HMAC-SHA256 over `<time>.<body>`.
    package static func signature(_ body: String, secret: String, at time: Int) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(time).\(body)".utf8),
            using: SymmetricKey(data: Data(secret.utf8))
        )
        return code.hexadecimal
    }

    /// The header `Stripe-Signature` for now.
    package static func header(
        _ body: String,
        secret: String,
        at time: Int = Int(Date().timeIntervalSince1970)
    ) -> String {
        "t=\(time),v1=\(signature(body, secret: secret, at: time))"
    }
}
