import Foundation
import Stores
import TestSupport
import Testing

@Suite("The signature of Stripe's webhooks")
struct StripeSignatureTests {
    private static let body = #"{"id":"evt_1","type":"invoice.paid"}"#
    private static let now = 1_800_000_000

    private func isGood(_ header: String, _ body: String = body, secrets: [String] = ["one", "two"]) -> Bool {
        StripeSignature.isGood(header, body: Data(body.utf8), secrets: secrets, now: Self.now)
    }

    private func sign(_ secret: String, at time: Int = now) -> String {
        StripeSigner.signature(Self.body, secret: secret, at: time)
    }

    @Test("T-24: any of the secrets and any v1 will do")
    func accepted() {
        #expect(isGood("t=\(Self.now),v1=\(sign("one"))"))
        #expect(isGood("t=\(Self.now),v1=\(sign("two"))"))
        #expect(isGood("t=\(Self.now),v1=\(sign("three")),v1=\(sign("two"))"))
    }

    @Test("T-24: 300 seconds are not too old, 301 are")
    func tolerance() {
        #expect(isGood("t=\(Self.now - 300),v1=\(sign("one", at: Self.now - 300))"))
        #expect(!isGood("t=\(Self.now - 301),v1=\(sign("one", at: Self.now - 301))"))
    }

    @Test("Another body, another secret, no secret and broken headers are refused")
    func refused() {
        let good = "t=\(Self.now),v1=\(sign("one"))"
        #expect(!isGood(good, Self.body + " "))
        #expect(!isGood(good, secrets: ["three"]))
        #expect(!isGood(good, secrets: []))
        #expect(
            !isGood("t=\(Self.now),v1=\(StripeSigner.signature(Self.body, secret: "", at: Self.now))", secrets: [""])
        )
        let broken = ["", ",", "=", "t", "t=,v1=", "t=1e9,v1=00", "t=99999999999999999999,v1=00", "v1=\(sign("one"))"]
        for header in broken { #expect(!isGood(header), "\(header)") }
    }

    private struct Case: Decodable {
        let name: String
        let header: String
        let body: String
        let accepted: Bool
    }

    @Test(
        "What Stripe's own Python library accepts and refuses, we accept and refuse",
        .enabled(if: PythonTools.python != nil, "PyPI cannot be reached: Stripe's library is not installed")
    )
    func python() throws {
        let python = try #require(PythonTools.python)
        let script = PythonTools.root.appending(path: "Tests/Fixtures/stripe/signatures.py").path
        let end = try ChildProcess.run(python, [script])
        #expect(end.status == 0)
        let cases = try JSONDecoder().decode([Case].self, from: end.bytes)
        #expect(cases.count >= 30 && cases.contains { $0.accepted } && cases.contains { !$0.accepted })
        for sample in cases {
            let ours = StripeSignature.isGood(
                sample.header,
                body: Data(sample.body.utf8),
                secrets: ["whsec_test_secret"],
                now: Int(Date().timeIntervalSince1970)
            )
            #expect(ours == sample.accepted, "\(sample.name)")
        }
    }
}
