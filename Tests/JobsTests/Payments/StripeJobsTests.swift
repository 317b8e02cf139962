import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@Suite("Jobs that talk to Stripe", .serialized)
struct StripeJobsTests {
    private typealias House = PaymentsHouse

    private func enqueueCheckout(_ house: PaymentsHouse, _ task: String = "tsk_1") async throws {
        try await house.world.queue.transaction { transaction in
            try await CreateCheckout.enqueue(task, tenant: ID("t1"), in: transaction)
        }
    }

    // MARK: Checkout

    @Test("J-10: the session is for exactly the budget, and names task, tenant and mode")
    func session() async throws {
        try await House.run(keys: [.live: "sk_live_1", .test: "sk_test_1"]) { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1", live: false)
            try await enqueueCheckout(house)
            #expect(try await house.work(.createCheckout) == [.done])
            let made = try #require(house.stripe.made("/v1/checkout/sessions").first)
            #expect(made.key == "checkout:tsk_1" && made.secret == "sk_test_1")
            #expect(made.form["line_items[0][price_data][unit_amount]"] == "25000")
            #expect(made.form["line_items[0][price_data][currency]"] == "usd")
            #expect(made.form["line_items[0][price_data][product_data][name]"] == "Streets & lights")
            #expect(made.form["metadata[task_id]"] == "tsk_1" && made.form["metadata[tenant_id]"] == "t1")
            #expect(made.form["metadata[mode]"] == "test" && made.form["mode"] == "payment")
            #expect(made.form["success_url"] == "https://crew.example/?checkout=paid&task=tsk_1")
            let kept = try await house.text("SELECT checkout_session_id || ' ' || funding_url FROM collect_tasks")
            #expect(kept == "\(made.id) https://pay.example/v1/checkout/sessions/\(made.id)")
        }
    }

    @Test(
        "Stripe unwell or busy: the job tries again with the same key, and one session exists",
        arguments: [
            ScriptedStripe.Fault.status(500), .status(429, retryAfter: "7"), .status(409), .status(401), .cut,
            .cutAfterwards, .late(.seconds(3)),
        ]
    )
    func faults(fault: ScriptedStripe.Fault) async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            try await enqueueCheckout(house)
            house.stripe.fail(fault)
            #expect(try await house.work(.createCheckout) == [.queued])
            let error = try await house.text("SELECT error FROM jobs WHERE kind = 'stripe.checkout'")
            #expect(error?.contains("Stripe") == true && error?.contains("sk_test") == false, "\(error ?? "")")
            #expect(try await house.work(.createCheckout) == [.done])
            #expect(house.stripe.made("/v1/checkout/sessions").count == 1)
            let url = try await house.text("SELECT funding_url FROM collect_tasks")
            #expect(url?.hasPrefix("https://pay.example/") == true)
        }
    }

    @Test("What Stripe refuses is dead at once, and the sweep leaves it alone")
    func refused() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            try await enqueueCheckout(house)
            house.stripe.fail(.status(400, code: "amount_too_large"))
            #expect(try await house.work(.createCheckout) == [.dead])
            _ = try await house.world.postgres.query("UPDATE collect_tasks SET created_at = now() - interval '1 hour'")
            try await PaymentsRecovery.run(house.world.queue, modes: [.live])
            #expect(try await house.world.count("kind = 'stripe.checkout' AND state = 'queued'") == 0)
        }
    }

    @Test("An asked checkout answers with its page though its task is not committed yet, and opens no second one")
    func asked() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            let checkout = TaskCheckout(
                task: "tsk_1",
                tenant: ID("t1"),
                isLive: true,
                title: "Streets & lights",
                amountCents: 25_000
            )
            let id = try #require(try await house.world.queue.enqueue(CreateCheckout(asked: checkout)))
            let job = try #require(try await house.claim(.createCheckout))
            #expect(try await house.work(job) == .done)
            let page = try await house.text("SELECT result->>'url' FROM jobs WHERE id = \(id)")
            try await house.task("tsk_1", tenant: "t1")
            try await enqueueCheckout(house)
            #expect(try await house.work(.createCheckout) == [.done])
            #expect(try await house.text("SELECT funding_url FROM collect_tasks") == page)
            #expect(house.stripe.made("/v1/checkout/sessions").count == 1)
        }
    }

    // MARK: Payouts

    private func prepare(_ house: PaymentsHouse, enabled: Bool = true) async throws {
        try await house.tenant("t1")
        try await house.task("tsk_1", tenant: "t1")
        try await house.payout("sub_1", task: "tsk_1", tenant: "t1", account: "acct_1", enabled: enabled)
        try await house.world.queue.transaction { transaction in
            try await TransferPayout.enqueue("sub_1", tenant: "t1", in: transaction)
        }
    }

    private func payout(_ house: PaymentsHouse) async throws -> String? {
        try await house.text("SELECT status || ' ' || coalesce(stripe_transfer_id, '-') FROM payouts")
    }

    @Test(
        "J-11: one transfer, whatever goes wrong on the way",
        arguments: [nil, ScriptedStripe.Fault.status(500), .status(429), .cut, .cutAfterwards, .late(.seconds(3))]
    )
    func transfer(fault: ScriptedStripe.Fault?) async throws {
        try await House.run { house in
            try await prepare(house)
            if let fault {
                house.stripe.fail(fault)
                #expect(try await house.work(.transferPayout) == [.queued])
            }
            #expect(try await house.work(.transferPayout) == [.done])
            let made = house.stripe.made("/v1/transfers")
            #expect(made.count == 1 && made.first?.key == "payout:sub_1")
            #expect(made.first?.form["amount"] == "250" && made.first?.form["destination"] == "acct_1")
            #expect(try await payout(house) == "paid \(made.first?.id ?? "")")
        }
    }

    @Test("A worker that dies after Stripe has paid: the next one finds the same transfer")
    func killed() async throws {
        try await House.run { house in
            try await prepare(house)
            let first = try #require(try await house.claim(.transferPayout))
            _ = try await house.world.postgres.query("UPDATE jobs SET attempt = attempt + 1 WHERE id = \(first.id)")
            await #expect(throws: Fenced.self) { try await house.work(first) }
            #expect(house.stripe.made("/v1/transfers").count == 1)
            _ = try await house.world.postgres.query(
                "UPDATE jobs SET state = 'queued', session = NULL WHERE id = \(first.id)"
            )
            #expect(try await house.work(.transferPayout) == [.done])
            #expect(house.stripe.made("/v1/transfers").count == 1)
            #expect(try await payout(house)?.hasPrefix("paid tr_") == true)
        }
    }

    @Test("Stripe's event and the job's answer tie the same transfer, whichever comes first")
    func eventFirst() async throws {
        try await House.run { house in
            try await prepare(house)
            let object: JSON = ["id": "tr_9", "amount": 250, "metadata": ["submission_id": "sub_1"]]
            try await house.accept(House.event("evt_1", "transfer.created", at: 100, object))
            try await house.work(.processStripeEvent)
            #expect(try await payout(house) == "paid tr_9")
            #expect(try await house.work(.transferPayout) == [.cancelled])
            #expect(house.stripe.made("/v1/transfers").isEmpty)
            try await house.accept(House.event("evt_2", "transfer.created", at: 101, object))
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_2") == "ignored")
        }
    }

    @Test("D-67: a contributor who cannot be paid blocks the payout until account.updated says otherwise")
    func blocked() async throws {
        try await House.run(keys: [.live: "sk_live_1"]) { house in
            try await prepare(house, enabled: false)
            #expect(try await house.work(.transferPayout) == [.done])
            #expect(try await payout(house) == "blocked -")
            #expect(house.stripe.made("/v1/transfers").isEmpty)
            let account: JSON = ["id": "acct_1", "payouts_enabled": true]
            try await house.accept(House.event("evt_1", "account.updated", at: 100, account))
            try await house.work(.processStripeEvent)
            #expect(try await house.work(.transferPayout) == [.done])
            #expect(try await payout(house)?.hasPrefix("paid tr_") == true)
            let older: JSON = ["id": "acct_1", "payouts_enabled": false]
            try await house.accept(House.event("evt_0", "account.updated", at: 99, older))
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_0") == "ignored")
            #expect(try await house.text("SELECT payouts_enabled::text FROM payout_accounts") == "true")
        }
    }

    @Test("Too little money is tried again with another key; a refusal is failed and says why")
    func refusedTransfer() async throws {
        try await House.run { house in
            try await prepare(house)
            house.stripe.fail(.status(400, code: "balance_insufficient"), .status(400, code: "account_invalid"))
            #expect(try await house.work(.transferPayout) == [.queued])
            #expect(try await payout(house) == "pending -")
            #expect(try await house.work(.transferPayout) == [.dead])
            #expect(try await payout(house) == "failed -")
            #expect(try await house.text("SELECT error FROM payouts")?.contains("account_invalid") == true)
            _ = try await house.world.postgres.query("UPDATE jobs SET state = 'queued' WHERE kind = 'payout.transfer'")
            #expect(try await house.work(.transferPayout) == [.done])
            #expect(house.stripe.made("/v1/transfers").map(\.key) == ["payout:sub_1:2"])
        }
    }

    @Test("After Stripe has forgotten the key, a transfer that was made is found and not made again")
    func old() async throws {
        try await House.run { house in
            try await prepare(house)
            house.stripe.fail(.cutAfterwards)
            #expect(try await house.work(.transferPayout) == [.queued])
            _ = try await house.world.postgres.query(
                "UPDATE payouts SET created_at = now() - interval '2 days', refusals = 5"
            )
            #expect(try await house.work(.transferPayout) == [.done])
            #expect(house.stripe.made("/v1/transfers").count == 1)
            #expect(try await payout(house) == "paid \(house.stripe.made("/v1/transfers")[0].id)")
        }
    }

    // MARK: Pages

    @Test("S-10, S-48: pages for owners and contributors; a contributor's account is made once")
    func pages() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            _ = try await house.world.postgres.query(
                "INSERT INTO users (id, kind, name, email) VALUES ('u1', 'contributor', 'C', 'c@x.example')"
            )
            for job in [OpenOnboarding(user: ID("u1"), mode: .live), OpenOnboarding(user: ID("u1"), mode: .live)] {
                try await house.world.queue.enqueue(job)
                #expect(try await house.work(try #require(try await house.claim(.openOnboarding))) == .done)
            }
            let accounts = house.stripe.made("/v1/accounts")
            #expect(accounts.count == 1 && accounts[0].form["email"] == "c@x.example")
            #expect(
                house.stripe.made("/v1/account_links").map { $0.form["account"] } == [accounts[0].id, accounts[0].id]
            )
            try await house.world.queue.enqueue(OpenBillingPage(tenant: ID("t1"), price: "price_p"))
            #expect(try await house.work(try #require(try await house.claim(.openBillingPage))) == .done)
            let bought = try #require(house.stripe.made("/v1/checkout/sessions").first)
            #expect(bought.form["line_items[0][price]"] == "price_p" && bought.form["customer"] == nil)
            #expect(bought.form["subscription_data[metadata][tenant_id]"] == "t1")
            _ = try await house.world.postgres.query("INSERT INTO billing_customers VALUES ('t1', 'cus_1', now())")
            try await house.world.queue.enqueue(OpenBillingPage(tenant: ID("t1"), price: nil))
            #expect(try await house.work(try #require(try await house.claim(.openBillingPage))) == .done)
            #expect(house.stripe.made("/v1/billing_portal/sessions").first?.form["customer"] == "cus_1")
        }
    }
}
