import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Pages at Stripe", .serialized)
struct PaymentRoutesTests {
    private static let settings = APIService.Settings.forTests(
        limits: Dictionary(uniqueKeysWithValues: RateTier.limited.map { ($0, RateLimit(count: 100_000, seconds: 60)) }),
        payments: payments(.seconds(2))
    )

    /// - Parameter patience: how long a new task waits for its page.
    private static func payments(_ patience: Duration) -> PaymentSettings {
        PaymentSettings(
            webhookSecrets: [],
            modes: [.live],
            prices: StripePrices("starter=price_s") ?? .none,
            pagePatience: patience
        )
    }

    /// Ends the first job of a kind, as a worker that got an answer from Stripe.
    private func answer(_ kind: JobKind, with result: JSON, in world: World) async throws {
        try await eventually(within: .seconds(10), "a job \(kind.rawValue) to answer") {
            try await world.postgres.query(
                """
                UPDATE jobs SET state = 'done', result = \(result.text)::jsonb, finished_at = clock_timestamp()
                WHERE kind = \(kind.rawValue) AND state = 'queued' RETURNING id
                """
            ).first != nil
        }
    }

    @Test("S-10: the owner gets a page, also with an Idempotency-Key; others are 403, unknown plans 400")
    func checkout() async throws {
        try await APIUnderTest.run(settings: Self.settings) { api in
            let owner = try await api.logIn()
            for headers in [owner, owner.merging(["Idempotency-Key": "k"]) { $1 }] {
                async let reply = api.post("/api/billing/checkout", #"{"plan":"starter"}"#, headers)
                try await answer(.openBillingPage, with: ["url": "https://pay.example/1"], in: api.world)
                let page = try await reply
                #expect(page.status == 200 && page.body == ["url": "https://pay.example/1"], "\(page.text)")
            }
            #expect(try await api.post("/api/billing/checkout", #"{"plan":"gold"}"#, owner).status == 400)
            #expect(try await api.post("/api/billing/checkout", #"{"plan":"enterprise"}"#, owner).status == 503)
            #expect(try await api.post("/api/billing/checkout", #"{"plan":"starter"}"#).status == 403)
            let admin = try await api.member(.admin).cookie
            #expect(try await api.post("/api/billing/checkout", #"{"plan":"starter"}"#, admin).status == 403)
            #expect(try await api.post("/api/billing/portal", "{}", owner).status == 409)
        }
    }

    @Test("Without Stripe every page is 503")
    func off() async throws {
        try await APIUnderTest.run { api in
            let owner = try await api.logIn()
            for (path, body, caller) in [
                ("/api/billing/checkout", #"{"plan":"starter"}"#, owner), ("/api/billing/portal", "{}", owner),
                ("/api/contributor/payout-account", "{}", try await api.contributor()),
            ] {
                let reply = try await api.post(path, body, caller)
                #expect(reply.status == 503, "\(path)")
            }
        }
    }

    @Test(
        "T-13: a new task has its page, also within the transaction of its stored answer; without an answer it is null"
    )
    func fundingLink() async throws {
        try await APIUnderTest.run(settings: Self.settings) { api in
            let world = api.world
            let link = FundingLink(stores: world.stores, queue: world.queue, settings: Self.payments(.seconds(300)))
            let hasty = FundingLink(
                stores: world.stores,
                queue: world.queue,
                settings: Self.payments(.milliseconds(50))
            )
            let checkout = TaskCheckout(task: "tsk_1", tenant: api.tenant, isLive: true, title: "T", amountCents: 5000)
            let page: JSON = ["id": "cs_1", "url": "https://pay.example/1"]
            async let answered: Void = answer(.createCheckout, with: page, in: world)
            let url = try await world.postgres.enclosing(opening: "SELECT 1") { _ in
                _ = try await world.postgres.query(
                    """
                    INSERT INTO collect_tasks (id, tenant_id, livemode, title, instructions, reward_cents,
                      target_submissions) VALUES ('tsk_1', \(api.tenant), true, 'T', 'Walk along.', 50, 100)
                    """
                )
                return try await link.await(checkout)
            }
            try await answered
            #expect(url == "https://pay.example/1")
            let kept = try await world.postgres.query("SELECT funding_url FROM collect_tasks WHERE id = 'tsk_1'")
            #expect(try kept.first?.decode(String?.self) == url)
            let other = TaskCheckout(task: "tsk_2", tenant: api.tenant, isLive: true, title: "T", amountCents: 5000)
            #expect(try await hasty.await(other) == nil)
            let test = TaskCheckout(task: "tsk_3", tenant: api.tenant, isLive: false, title: "T", amountCents: 5000)
            #expect(try await link.await(test) == nil, "no key for test mode, so nobody is asked")
        }
    }
}
