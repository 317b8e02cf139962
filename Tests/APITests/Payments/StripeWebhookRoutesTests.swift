import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("What Stripe posts", .serialized)
struct StripeWebhookRoutesTests {
    private static let settings = APIService.Settings.forTests(
        payments: PaymentSettings(webhookSecrets: ["whsec_new", "whsec_old"], modes: [.live], prices: .none)
    )
    private static let path = "/api/webhooks/stripe"

    private func event(_ id: String, _ type: String = "invoice.paid") -> String {
        #"{"id":"\#(id)","object":"event","type":"\#(type)","created":100,"livemode":true,"data":{"object":{"id":"in_1"}}}"#
    }

    private func signed(_ body: String, _ secret: String = "whsec_new") -> [String: String] {
        ["Stripe-Signature": StripeSigner.header(body, secret: secret)]
    }

    private func count(_ api: APIUnderTest) async throws -> Int {
        try await api.world.postgres.query("SELECT count(*) FROM stripe_events").first?.decode(Int.self) ?? -1
    }

    @Test("T-25: a good event is kept with its job and answered; secrets old and new are good")
    func kept() async throws {
        try await APIUnderTest.run(settings: Self.settings) { api in
            for (id, secret) in [("evt_1", "whsec_new"), ("evt_2", "whsec_old")] {
                let reply = try await api.post(Self.path, event(id), signed(event(id), secret))
                #expect(reply.status == 200 && reply.body == ["received": true], "\(reply.text)")
            }
            #expect(try await count(api) == 2)
            #expect(try await api.world.count("kind = 'stripe.event' AND queue = 'stripe' AND state = 'queued'") == 2)
            let kept = try await api.world.postgres.query("SELECT payload FROM stripe_events WHERE id = 'evt_1'")
            #expect(try kept.first?.decode(String.self) == event("evt_1"))
        }
    }

    @Test("T-24: unsigned, wrongly signed, changed and old events are 400, and nothing is kept")
    func refused() async throws {
        try await APIUnderTest.run(settings: Self.settings) { api in
            let body = event("evt_1")
            let old = StripeSigner.header(body, secret: "whsec_new", at: Int(Date().timeIntervalSince1970) - 301)
            for headers in [[:], ["Stripe-Signature": "x"], signed(body, "whsec_x"), ["Stripe-Signature": old]] {
                let reply = try await api.post(Self.path, body, headers)
                #expect(reply.status == 400 && reply.body == ["error": "Invalid signature"])
            }
            #expect(try await api.post(Self.path, body + " ", signed(body)).status == 400)
            for nonsense in ["hello", "[]", "{}"] {
                #expect(try await api.post(Self.path, nonsense, signed(nonsense)).status == 400)
            }
            let large = String(repeating: "x", count: 1 << 20) + "x"
            #expect(try await api.post(Self.path, large, signed(large)).status == 413)
            #expect(try await count(api) == 0)
            #expect(try await api.world.count("kind = 'stripe.event'") == 0)
        }
    }

    @Test("One event fifty times at once over three servers: fifty 200s, one row, one job")
    func fifty() async throws {
        try await APIUnderTest.run(servers: 3, settings: Self.settings) { api in
            let body = event("evt_1", "checkout.session.completed")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<50 {
                    group.addTask { try await api.post(Self.path, body, signed(body), server: index % 3).status }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses == [Int](repeating: 200, count: 50))
            #expect(try await count(api) == 1)
            #expect(try await api.world.count("kind = 'stripe.event'") == 1)
        }
    }

    @Test("No limit meets Stripe, and payloads with escapes that jsonb refuses are kept")
    func unlimited() async throws {
        let tight = APIService.Settings.forTests(
            limits: Dictionary(uniqueKeysWithValues: RateTier.limited.map { ($0, RateLimit(count: 1, seconds: 60)) }),
            payments: Self.settings.payments
        )
        try await APIUnderTest.run(settings: tight) { api in
            for index in 0..<20 {
                let body = event("evt_\(index)").replacing("in_1", with: #"in_\u0000"#)
                let reply = try await api.post(Self.path, body, signed(body))
                #expect(reply.status == 200)
            }
            let kept = try await count(api)
            #expect(kept == 20)
        }
    }

    @Test("D-72: without a secret the receiver answers 503")
    func off() async throws {
        try await APIUnderTest.run { api in
            let reply = try await api.post(Self.path, event("evt_1"), signed(event("evt_1")))
            #expect(reply.status == 503)
        }
    }
}
