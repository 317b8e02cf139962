private import Crypto
private import Domain
private import FoundationEssentials

/// The signature of Stripe's webhooks, judged as Stripe's own libraries judge it (decision D-72).
///
/// `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`, where `v1` is HMAC-SHA256 over `<t>.<body>`. Other schemes are
/// passed over. Only a timestamp that is too old is refused: a future one takes the secret to make.
package enum StripeSignature {
    /// Seconds that a signature is good for.
    package static let tolerance = 300

    /// - Parameters:
    ///   - header: the value of `Stripe-Signature`.
    ///   - body: the bytes as they came.
    ///   - secrets: any of them may have signed: while one is rolled, two do.
    ///   - now: seconds since 1970.
    package static func isGood(_ header: String, body: some Sequence<UInt8>, secrets: [String], now: Int) -> Bool {
        guard let (time, signatures) = read(header), time >= now - tolerance else { return false }
        let signed = Data("\(time).".utf8) + Data(body)
        var isGood = false
        for secret in secrets where !secret.isEmpty {
            let key = SymmetricKey(data: Data(secret.utf8))
            let expected = HMAC<SHA256>.authenticationCode(for: signed, using: key).hexadecimal.utf8
            // No early way out here either.
            for signature in signatures where ConstantTime.areEqual(expected, signature.utf8) { isGood = true }
        }
        return isGood
    }

    /// The first `t` and every `v1`; nil where one of them has no value, or there is none.
    private static func read(_ header: String) -> (time: Int, signatures: [Substring])? {
        var times: [Substring] = []
        var signatures: [Substring] = []
        for item in header.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
            guard parts[0] == "t" || parts[0] == "v1" else { continue }
            guard parts.count > 1 else { return nil }
            if parts[0] == "t" { times.append(parts[1]) } else { signatures.append(parts[1]) }
        }
        guard let first = times.first, let time = seconds(first), !signatures.isEmpty else { return nil }
        return (time, signatures)
    }

    /// Decimal digits, at most twelve besides leading zeros.
    private static func seconds(_ text: Substring) -> Int? {
        let digits = text.drop { $0 == " " }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let number = digits.drop { $0 == "0" }
        return number.isEmpty ? 0 : number.utf8.count <= 12 ? Int(number) : nil
    }
}
