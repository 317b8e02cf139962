import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// Pages at Stripe that nobody is to pay on any more, and what becomes of money that comes all the same.
@Suite("Pages of tasks that wait for no money", .serialized)
struct LeftoverPageTests {
    private typealias House = PaymentsHouse

    /// A task with its page.
    private func funding(_ house: PaymentsHouse, work: Bool = true) async throws {
        try await house.tenant("t1")
        try await house.task("tsk_1", tenant: "t1")
        try await house.world.queue.transaction { transaction in
            try await CreateCheckout.enqueue("tsk_1", tenant: ID("t1"), in: transaction)
        }
        if work { #expect(try await house.work(.createCheckout) == [.done]) }
    }

    /// As the API cancels it.
    private func cancel(_ house: PaymentsHouse) async throws {
        try await house.world.queue.transaction { transaction in
            _ = try await transaction.sql.query("UPDATE collect_tasks SET status = 'cancelled', updated_at = now()")
            try await ExpireCheckout.enqueue("tsk_1", tenant: ID("t1"), in: transaction)
        }
    }

    private func page(_ house: PaymentsHouse) throws -> String {
        try #require(house.stripe.made("/v1/checkout/sessions").first).id
    }

    private func closed(_ page: String, _ house: PaymentsHouse) -> [ScriptedStripe.Made] {
        house.stripe.made("/v1/checkout/sessions/\(page)/expire")
    }

    // MARK: Closing

    @Test(
        "A cancelled task's page is closed once, whatever goes wrong on the way",
        arguments: [nil, ScriptedStripe.Fault.status(500), .status(429), .cut, .cutAfterwards]
    )
    func closing(fault: ScriptedStripe.Fault?) async throws {
        try await House.run { house in
            try await funding(house)
            try await cancel(house)
            if let fault {
                house.stripe.fail(fault)
                #expect(try await house.work(.expireCheckout) == [.queued])
            }
            #expect(try await house.work(.expireCheckout) == [.done])
            let page = try page(house)
            #expect(closed(page, house).map(\.key) == ["expire:\(page)"])
            #expect(house.stripe.made("/v1/checkout/sessions").count == 1)
        }
    }

    @Test("A page that was paid or has ended by itself needs no closing", arguments: ["complete", "expired"])
    func over(status: String) async throws {
        try await House.run { house in
            try await funding(house)
            try await cancel(house)
            house.stripe.end(try page(house), as: status)
            #expect(try await house.work(.expireCheckout) == [.done])
            #expect(try closed(page(house), house).isEmpty)
        }
    }

    @Test("A page that Stripe does not know, or does not close, is an operator's: dead, with Stripe's words")
    func refused() async throws {
        try await House.run { house in
            try await funding(house)
            try await cancel(house)
            house.stripe.fail(.status(403, code: "no_rights"))
            #expect(try await house.work(.expireCheckout) == [.dead])
            let error = try await house.text("SELECT error FROM jobs WHERE kind = 'stripe.expire'")
            #expect(error?.contains("no_rights") == true && error?.contains("sk_test") == false)
        }
    }

    @Test("A page whose answer nobody heard is found by its key, and closed; the task's own job has nothing to do")
    func unheard() async throws {
        try await House.run { house in
            try await funding(house, work: false)
            house.stripe.fail(.cutAfterwards)
            #expect(try await house.work(.createCheckout) == [.queued])
            try await cancel(house)
            #expect(try await house.work(.expireCheckout) == [.done])
            #expect(try closed(page(house), house).count == 1)
            #expect(try await house.work(.createCheckout) == [.cancelled])
            #expect(house.stripe.made("/v1/checkout/sessions").count == 1)
        }
    }

    @Test(
        "No page is closed that somebody is to pay on, that was paid, that is old, or that a key of the other mode made",
        arguments: [
            "status = 'funding'", "funded_by = checkout_session_id, funded_cents = 25000",
            "updated_at = now() - interval '26 hours'", "page_livemode = true",
        ]
    )
    func kept(change: String) async throws {
        try await House.run { house in
            try await funding(house)
            try await cancel(house)
            _ = try await house.world.postgres.query(SQL(trusted: "UPDATE collect_tasks SET \(change)"))
            let before = house.stripe.requests
            #expect(try await house.work(.expireCheckout) == [.cancelled])
            #expect(house.stripe.requests == before)
        }
    }

    @Test("D-61: booking money by hand closes the page that the task has, and asks nobody where there is none")
    func byHand() async throws {
        try await House.run { house in
            try await funding(house)
            try await house.task("tsk_0", tenant: "t1")
            func fund(_ task: String) async throws -> CollectionTask? {
                try await FundByHand.run(ID(task), amount: nil, stores: house.world.stores, in: house.world.queue)
            }
            #expect(try await fund("tsk_0")?.status == .open)
            #expect(try await house.world.count("kind = 'stripe.expire'") == 0)
            #expect(try await fund("tsk_1")?.fundedCents == 25_000)
            #expect(try await fund("tsk_1") == nil, "it waits for none any more")
            #expect(try await house.work(.expireCheckout) == [.done])
            #expect(try closed(page(house), house).count == 1)
        }
    }

    // MARK: Money that comes too late

    private func tell(_ house: PaymentsHouse, _ id: String, _ object: JSON, live: Bool = true) async throws -> String {
        try await house.accept(House.event(id, "checkout.session.completed", at: 100, live: live, object))
        try await house.work(.processStripeEvent, key: "stripe.event:\(id)")
        return try await house.status(of: id)
    }

    @Test("S-41: a payment that comes after the cancellation goes back whole, once")
    func late() async throws {
        try await House.run { house in
            try await funding(house)
            try await cancel(house)
            let session = try page(house)
            house.stripe.end(session, as: "complete")
            #expect(try await house.work(.expireCheckout) == [.done])
            let paid = House.paid("tsk_1", session: session)
            #expect(try await tell(house, "evt_1", paid) == "done")
            let state: SQL = "SELECT status || ' ' || funded_cents || ' ' || refund_status FROM collect_tasks"
            #expect(try await house.text(state) == "cancelled 25000 pending")
            #expect(try await house.work(.refundTask) == [.done])
            let made = house.stripe.made("/v1/refunds")
            #expect(made.count == 1 && made.first?.form["amount"] == "25000")
            #expect(made.first?.form["payment_intent"] == "pi_of_\(session)")
            #expect(try await tell(house, "evt_2", paid) == "ignored")
            let second = House.paid("tsk_1", session: "cs_2")
            #expect(try await tell(house, "evt_3", second) == "unmatched", "one refund per task")
            #expect(try await house.work(.refundTask).isEmpty)
            #expect(try await house.text(state) == "cancelled 25000 done")
        }
    }

    @Test("A late payment of the other mode, or for a task that was paid by hand before, is left to an operator")
    func foreign() async throws {
        try await House.run { house in
            try await funding(house)
            try await cancel(house)
            let paid = try House.paid("tsk_1", session: page(house))
            #expect(try await tell(house, "evt_1", paid, live: false) == "unmatched")
            _ = try await house.world.postgres.query("UPDATE collect_tasks SET funded_cents = 25000")
            #expect(try await tell(house, "evt_2", paid) == "unmatched")
            #expect(try await house.world.count("kind = 'stripe.refund'") == 0)
        }
    }

    @Test("A cancellation and its payment at once: whichever is first, the money is the task's or goes back")
    func atOnce() async throws {
        try await House.run { house in
            for round in 0..<6 {
                let task = "tsk_\(round)"
                if round == 0 { try await house.tenant("t1") }
                try await house.task(task, tenant: "t1")
                let paid = House.paid(task, session: "cs_\(round)")
                try await house.accept(House.event("evt_\(round)", "checkout.session.completed", at: 100, paid))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await house.work(.processStripeEvent, key: "stripe.event:evt_\(round)") }
                    group.addTask { try await cancelAsTheAPI(task, house) }
                    try await group.waitForAll()
                }
            }
            #expect(try await house.text("SELECT count(*)::text FROM stripe_events WHERE status = 'done'") == "6")
            let states: SQL = """
                SELECT string_agg(DISTINCT status || ' ' || coalesce(refund_status, '-'), ', ') FROM collect_tasks
                """
            #expect(try await house.text(states) == "cancelled pending", "every payment is on its way back")
        }
    }

    private func cancelAsTheAPI(_ task: String, _ house: PaymentsHouse) async throws {
        let caller = Caller(tenant: ID("t1"), user: ID("u"), key: "k", scopes: [.tasksWrite], mode: .live)
        try await house.world.queue.transaction { transaction in
            let ended = try await house.world.stores.collectionTasks.cancel(ID(task), for: caller, in: transaction.sql)
            if ended?.isRefundable == true { try await RefundTask.enqueue(task, tenant: ID("t1"), in: transaction) }
        }
    }
}
