import AsyncHTTPClient
import Domain
import Foundation
import Jobs
import Outside
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// Pages that expire, objects of the other mode, and the daily comparison.
@Suite("Stripe's modes, pages and subscriptions", .serialized)
struct StripeModesTests {
    private typealias House = PaymentsHouse

    private static let testKeys: [KeyMode: String] = [.live: "sk_test_1", .test: "sk_test_1"]
    private static let liveKeys: [KeyMode: String] = [.live: "sk_live_1", .test: "sk_test_1"]

    /// The same house with other keys, as after going live.
    private func restarted(_ house: PaymentsHouse, keys: [KeyMode: String]) -> PaymentsHouse {
        let client = StripeClient(
            base: house.stripe.baseURL,
            keys: keys,
            publicURL: "https://crew.example",
            client: HTTPClient.shared,
            limit: 2
        )
        let prices = house.services.payments.prices
        let services = JobServices(
            stores: house.services.stores,
            models: house.services.models,
            payments: PaymentServices(client: client, prices: prices, billingIsLive: client.isLive(.live))
        )
        return PaymentsHouse(world: house.world, stripe: house.stripe, services: services, session: house.session)
    }

    private func enqueueCheckout(_ house: PaymentsHouse) async throws {
        try await house.world.queue.transaction { transaction in
            try await CreateCheckout.enqueue("tsk_1", tenant: ID("t1"), in: transaction)
        }
    }

    private func session(_ house: PaymentsHouse) async throws -> String? {
        try await house.text("SELECT checkout_session_id FROM collect_tasks")
    }

    // MARK: Pages

    @Test("C-8: a page that expired is replaced once while its task waits for money, and not any more when it is paid")
    func expired() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1", live: false)
            try await enqueueCheckout(house)
            try await house.work(.createCheckout)
            let first = try #require(try await session(house))
            let object: JSON = ["id": .string(first), "mode": "payment", "metadata": ["task_id": "tsk_1"]]
            for (id, status) in [("evt_1", "done"), ("evt_2", "ignored")] {
                try await house.accept(House.event(id, "checkout.session.expired", at: 100, live: false, object))
                try await house.work(.processStripeEvent)
                #expect(try await house.status(of: id) == status)
            }
            #expect(try await house.text("SELECT funding_url FROM collect_tasks") == nil)
            #expect(try await house.work(.createCheckout) == [.done])
            let second = try #require(try await session(house))
            #expect(second != first)
            #expect(house.stripe.made("/v1/checkout/sessions").map(\.key) == ["checkout:tsk_1", "checkout:tsk_1:1"])
            let paid = House.paid("tsk_1", session: second)
            try await house.accept(House.event("evt_3", "checkout.session.completed", at: 101, live: false, paid))
            let late: JSON = ["id": .string(second), "mode": "payment", "metadata": ["task_id": "tsk_1"]]
            try await house.accept(House.event("evt_4", "checkout.session.expired", at: 102, live: false, late))
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_4") == "ignored")
            #expect(try await house.text("SELECT status || ' ' || pages FROM collect_tasks") == "open 1")
            #expect(try await session(house) == second)
        }
    }

    @Test("A page that was made before its task's page expired is not kept")
    func latePage() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            let checkout = TaskCheckout(task: "tsk_1", tenant: ID("t1"), isLive: true, title: "T", amountCents: 25_000)
            _ = try await house.world.postgres.query("UPDATE collect_tasks SET pages = 1")
            try await house.world.stores.payments.keep(CheckoutPage(id: "cs_0", url: "u"), for: checkout)
            #expect(try await session(house) == nil)
        }
    }

    // MARK: Going live

    @Test("Going live: pages, accounts, customers and plans of test mode are not used, and come anew")
    func goingLive() async throws {
        try await House.run(keys: Self.testKeys) { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            _ = try await house.world.postgres.query(
                "INSERT INTO users (id, kind, name, email) VALUES ('u1', 'contributor', 'C', 'c@x.example')"
            )
            try await enqueueCheckout(house)
            try await house.work(.createCheckout)
            try await onboard(house)
            let bought = ProcessStripeEventTests.subscription("t1", "active", "price_p")
            try await house.accept(House.event("evt_1", "customer.subscription.created", at: 100, live: false, bought))
            try await house.work(.processStripeEvent)
            let plan: SQL = "SELECT plan FROM entitlements WHERE tenant_id = 't1'"
            #expect(try await house.text(plan) == "professional")
            let testPage = try await session(house)
            try await PaymentsRecovery.run(house.world.queue, modes: [.live, .test])
            #expect(try await session(house) == testPage, "nothing has changed yet")

            let live = restarted(house, keys: Self.liveKeys)
            let payments = live.world.stores.payments
            #expect(try await payments.customer(of: ID("t1"), isLive: true) == nil)
            _ = try await live.world.postgres.query("UPDATE collect_tasks SET created_at = now() - interval '1 hour'")
            try await PaymentsRecovery.run(live.world.queue, modes: [.live, .test], liveKeys: [.live])
            #expect(try await live.text(plan) == nil, "test cards give no plan")
            try await live.work(.createCheckout)
            #expect(try await session(live) != testPage)
            #expect(live.stripe.made("/v1/checkout/sessions").map(\.secret) == ["sk_test_1", "sk_live_1"])
            try await onboard(live)
            #expect(live.stripe.made("/v1/accounts").map(\.secret) == ["sk_test_1", "sk_live_1"])
            let account = try await live.text("SELECT stripe_account_id || ' ' || stripe_livemode FROM payout_accounts")
            #expect(account == "\(live.stripe.made("/v1/accounts")[1].id) true")
            try await onboard(live)
            #expect(live.stripe.made("/v1/accounts").count == 2, "the live one is kept")

            try await PaymentsRecovery.run(house.world.queue, modes: [.live, .test])
            #expect(try await house.text(plan) == "professional", "with the test key again, it counts again")
        }
    }

    private func onboard(_ house: PaymentsHouse) async throws {
        try await house.world.queue.enqueue(OpenOnboarding(user: ID("u1"), mode: .live))
        #expect(try await house.work(try #require(try await house.claim(.openOnboarding))) == .done)
    }

    @Test("A payout is not made to an account of the other mode")
    func foreignAccount() async throws {
        try await House.run(keys: Self.liveKeys) { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            try await house.payout("sub_1", task: "tsk_1", tenant: "t1", account: "acct_1", enabled: true)
            _ = try await house.world.postgres.query("UPDATE payout_accounts SET stripe_livemode = false")
            try await house.world.queue.transaction { transaction in
                try await TransferPayout.enqueue("sub_1", tenant: "t1", in: transaction)
            }
            #expect(try await house.work(.transferPayout) == [.done])
            #expect(try await house.text("SELECT status FROM payouts") == "blocked")
            try await PaymentsRecovery.run(house.world.queue, modes: [.live], liveKeys: [.live])
            #expect(try await house.world.count("kind = 'payout.transfer' AND state = 'queued'") == 0)
            #expect(house.stripe.made("/v1/transfers").isEmpty)
        }
    }

    // MARK: The daily comparison

    private func listed(_ id: String, _ status: String, _ price: String, tenant: String = "t1") -> JSON {
        [
            "id": .string(id), "status": .string(status), "customer": .string("cus_\(tenant)"),
            "metadata": ["tenant_id": .string(tenant)],
            "items": ["data": [["price": ["id": .string(price)], "current_period_end": 4_000_000_000]]],
        ]
    }

    private func subscriptions(_ house: PaymentsHouse) async throws -> [String] {
        try await house.world.postgres.query(
            "SELECT id || ' ' || plan || ' ' || status FROM subscriptions ORDER BY id"
        ).map { try $0.decode(String.self) }
    }

    @Test("C-12: once a day every page of Stripe's list is compared, and what no event told is put right")
    func compared() async throws {
        try await House.run(keys: Self.liveKeys, billingIsLive: true) { house in
            try await house.tenant("t1")
            for (number, name) in ["sub_a", "sub_b", "sub_c"].enumerated() {
                try await house.accept(
                    House.event(
                        "evt_\(number)",
                        "customer.subscription.created",
                        at: 100,
                        listed(name, "active", "price_s")
                    )
                )
            }
            try await house.work(.processStripeEvent)
            _ = try await house.world.postgres.query(
                "INSERT INTO subscriptions (id, tenant_id, plan, status) VALUES ('operator:t1', 't1', 'starter', 'active')"
            )
            house.stripe.list(subscriptions: [
                listed("sub_a", "active", "price_s"), listed("sub_b", "past_due", "price_p"),
                listed("sub_c", "canceled", "price_s"), listed("sub_d", "active", "price_e"),
                listed("sub_e", "active", "price_s", tenant: "none"), listed("sub_f", "canceled", "price_s"),
            ])
            for _ in 0..<2 { try await CompareSubscriptions.daily(house.world.queue, modes: [.live]) }
            #expect(try await house.work(.compareSubscriptions) == [.done])
            let right = [
                "operator:t1 starter active", "sub_a starter active", "sub_b professional past_due",
                "sub_c starter canceled", "sub_d enterprise active",
            ]
            #expect(try await subscriptions(house) == right)
            try await CompareSubscriptions.daily(house.world.queue, modes: [.live])
            #expect(try await house.work(.compareSubscriptions).isEmpty, "once a day")
            try await CompareSubscriptions.daily(house.world.queue, modes: [])
            // An event that is older than the comparison, and newer than the last one, still counts.
            let event = House.event(
                "evt_9",
                "customer.subscription.updated",
                at: 101,
                listed("sub_b", "active", "price_p")
            )
            try await house.accept(event)
            try await house.work(.processStripeEvent)
            #expect(try await subscriptions(house)[2] == "sub_b professional active")
        }
    }

    @Test("C-12: what an event changes while Stripe is asked is newer than the list, and is left alone")
    func overtaken() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            let created = House.event(
                "evt_1",
                "customer.subscription.created",
                at: 100,
                listed("sub_a", "active", "price_s")
            )
            try await house.accept(created)
            try await house.work(.processStripeEvent)
            let rows = try await house.world.postgres.query(StripeLedger.all(isLive: false))
            #expect(rows.first == nil, "it is one of live mode")
            let known = try StripeLedger.known(
                try #require(try await house.world.postgres.query(StripeLedger.all(isLive: true)).first)
            )
            let updated = House.event(
                "evt_2",
                "customer.subscription.updated",
                at: 101,
                listed("sub_a", "active", "price_e")
            )
            try await house.accept(updated)
            try await house.work(.processStripeEvent)
            let prices = house.services.payments.prices
            let stale = try #require(StripeEvent.subscription(listed: listed("sub_a", "past_due", "price_s"), prices))
            #expect(try await house.world.postgres.query(StripeLedger.correct(stale, from: known)).first == nil)
            #expect(try await subscriptions(house) == ["sub_a enterprise active"])
        }
    }
}
