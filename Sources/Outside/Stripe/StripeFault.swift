import Domain
import FoundationEssentials

/// The error table of Stripe's API (Stripe API, "Errors"): what is refused for good, and what may go well later.
enum StripeFault {
    /// Longest wait that is believed.
    private static let longestWait = 3600.0

    /// - Parameters:
    ///   - status: of the answer, no 2xx.
    ///   - retryAfter: the header, in seconds.
    ///   - shouldRetry: `Stripe-Should-Retry`, where Stripe knows better than the status.
    ///   - body: JSON with `error`, or anything else.
    static func fault(status: Int, retryAfter: String?, shouldRetry: String?, body: Data) -> PaymentFault {
        let error = (try? JSON(parsing: body))?["error"]
        let code = error?["code"]?.stringValue
        let words = Redacted.text(error?["message"]?.stringValue ?? "no message")
        let text = "Stripe answered \(status)\(code.map { " (\($0))" } ?? ""): \(words)"
        let wait = retryAfter.flatMap(Double.init).map { Duration.seconds(min(max(0, $0), longestWait)) }
        switch status {
        // The key is wrong or may not do this: an operator mends it, and the work goes on.
        case 401:
            return .later(
                "Stripe refuses the key: check GC_STRIPE_SECRET_KEY and GC_STRIPE_TEST_SECRET_KEY",
                after: .seconds(60)
            )
        case 409, 429, 500...: return .later(text, after: wait)
        case _ where shouldRetry == "true" || code == "lock_timeout" || code == "rate_limit":
            return .later(text, after: wait)
        case _ where code == "balance_insufficient": return .shortOfMoney(text)
        default: return .refused(text)
        }
    }
}

/// What Stripe says, fit for logs and rows: no keys, one line, not too long.
enum Redacted {
    static func text(_ words: String) -> String {
        let line = words.split { $0.isWhitespace || $0.isNewline }.map(word).joined(separator: " ")
        return String(line.filter { $0 != "\0" }.prefix(300))
    }

    /// Stripe quotes keys in part: whatever begins like one goes.
    private static func word(_ word: Substring) -> String {
        for prefix in ["sk_", "rk_", "whsec_"] {
            guard let range = word.firstRange(of: prefix) else { continue }
            return word[..<range.lowerBound] + "[key]"
        }
        return String(word)
    }
}
