import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@Suite("What Stripe's events do", .serialized)
struct ProcessStripeEventTests {
    private typealias House = PaymentsHouse

    private func taskStatus(_ house: PaymentsHouse, _ task: String = "tsk_1") async throws -> String? {
        try await house.text("SELECT status || ' ' || funded_cents FROM collect_tasks WHERE id = \(task)")
    }

    @Test("T-26: a paid session opens its task once; the same event again, and another one of the session, do nothing")
    func funds() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            let event = House.event("evt_1", "checkout.session.completed", at: 100, House.paid("tsk_1"))
            for _ in 0..<3 { try await house.accept(event) }
            #expect(try await house.world.count("kind = 'stripe.event'") == 1)
            #expect(try await house.work(.processStripeEvent) == [.done])
            #expect(try await taskStatus(house) == "open 25000")
            try await house.accept(event)
            #expect(try await house.work(.processStripeEvent).isEmpty)
            try await house.accept(House.event("evt_2", "checkout.session.completed", at: 101, House.paid("tsk_1")))
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_2") == "ignored")
            let again = House.paid("tsk_1", session: "cs_2")
            try await house.accept(House.event("evt_3", "checkout.session.completed", at: 102, again))
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_3") == "unmatched", "a second payment needs a person")
        }
    }

    @Test("D-71: underpaid, unpaid, another mode and an unknown task are unmatched, and the task waits on")
    func unmatched() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1", live: false)
            let cases: [(String, Bool, JSON)] = [
                ("evt_less", false, House.paid("tsk_1", cents: 24_999)),
                ("evt_unpaid", false, House.paid("tsk_1", status: "unpaid")),
                ("evt_live", true, House.paid("tsk_1")), ("evt_unknown", false, House.paid("tsk_2")),
            ]
            for (id, live, session) in cases {
                try await house.accept(
                    House.event(id, "checkout.session.completed", at: 100, live: live, session)
                )
            }
            try await house.work(.processStripeEvent)
            for (id, _, _) in cases { #expect(try await house.status(of: id) == "unmatched", "\(id)") }
            #expect(try await taskStatus(house) == "funding 0")
            #expect(try await house.world.count("kind = 'stripe.event' AND state = 'queued'") == 4)
        }
    }

    @Test("An event that comes before its task opens it later; after a day it is dead, and an operator can retry it")
    func early() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.accept(House.event("evt_1", "checkout.session.completed", at: 100, House.paid("tsk_1")))
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_1") == "unmatched")
            _ = try await house.world.postgres.query(
                "UPDATE stripe_events SET give_up_at = now() - interval '1 second'"
            )
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_1") == "dead")
            #expect(try await house.world.count("kind = 'stripe.event' AND state = 'queued'") == 0)
            let dead = try await StripeEventStore(house.world.postgres).list(.dead, limit: 10)
            #expect(dead.first?.error == "there is no task tsk_1")
            try await house.task("tsk_1", tenant: "t1")
            #expect(try await StripeInbox.retry("evt_1", in: house.world.queue))
            try await house.work(.processStripeEvent)
            #expect(try await taskStatus(house) == "open 25000")
            #expect(try await !StripeInbox.retry("evt_1", in: house.world.queue))
        }
    }

    @Test("Fifty deliveries at once make one row, one job and one effect")
    func fifty() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            let event = House.event("evt_1", "checkout.session.completed", at: 100, House.paid("tsk_1"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { try await house.accept(event) } }
                try await group.waitForAll()
            }
            #expect(try await house.world.count("kind = 'stripe.event'") == 1)
            try await house.work(.processStripeEvent)
            #expect(try await taskStatus(house) == "open 25000")
        }
    }

    @Test("A worker that was replaced in the middle writes nothing")
    func fenced() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            try await house.accept(House.event("evt_1", "checkout.session.completed", at: 100, House.paid("tsk_1")))
            let job = try #require(try await house.claim(.processStripeEvent))
            _ = try await house.world.postgres.query("UPDATE jobs SET attempt = attempt + 1 WHERE id = \(job.id)")
            await #expect(throws: Fenced.self) { try await house.work(job) }
            #expect(try await taskStatus(house) == "funding 0")
            #expect(try await house.status(of: "evt_1") == "received")
        }
    }

    @Test("Test cards buy no plan where live ones are sold")
    func testBilling() async throws {
        try await House.run(billingIsLive: true) { house in
            try await house.tenant("t1")
            let object = Self.subscription("t1", "active", "price_e")
            try await house.accept(House.event("evt_1", "customer.subscription.created", at: 100, live: false, object))
            try await house.work(.processStripeEvent)
            #expect(try await house.status(of: "evt_1") == "ignored")
            try await house.accept(House.event("evt_2", "customer.subscription.created", at: 100, object))
            try await house.work(.processStripeEvent)
            #expect(try await house.text("SELECT plan FROM entitlements WHERE tenant_id = 't1'") == "enterprise")
        }
    }

    @Test("What nobody takes care of any more is found: a lost job, a dead one, a task without a page, a payout")
    func recovery() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            try await house.task("tsk_2", tenant: "t1")
            try await house.payout("sub_1", task: "tsk_1", tenant: "t1", account: "acct_1", enabled: false)
            try await house.accept(House.event("evt_1", "checkout.session.completed", at: 100, House.paid("tsk_1")))
            try await house.accept(House.event("evt_2", "checkout.session.completed", at: 100, House.paid("tsk_9")))
            _ = try await house.world.postgres.pipeline([
                "DELETE FROM jobs WHERE unique_key = 'stripe.event:evt_1'",
                """
                UPDATE jobs SET state = 'dead', dead_reason = 'failed', error = 'boom', finished_at = clock_timestamp()
                WHERE unique_key = 'stripe.event:evt_2'
                """,
                "UPDATE stripe_events SET received_at = now() - interval '2 minutes'",
                "UPDATE collect_tasks SET created_at = now() - interval '1 hour'",
                "UPDATE payout_accounts SET payouts_enabled = true",
            ])
            for _ in 0..<2 { try await PaymentsRecovery.run(house.world.queue, modes: [.live]) }
            #expect(try await house.status(of: "evt_2") == "dead")
            #expect(try await house.world.count("kind = 'stripe.event' AND state = 'queued'") == 1)
            #expect(try await house.world.count("kind = 'stripe.checkout' AND state = 'queued'") == 2)
            #expect(try await house.world.count("kind = 'payout.transfer' AND state = 'queued'") == 1)
            try await house.work(.processStripeEvent)
            #expect(try await taskStatus(house) == "open 25000")
        }
    }

    static func subscription(_ tenant: String?, _ status: String, _ price: String, customer: String = "cus_1") -> JSON {
        [
            "id": .string("sub_of_\(customer)"), "status": .string(status), "customer": .string(customer),
            "metadata": tenant.map { ["tenant_id": .string($0)] } ?? [:],
            "items": ["data": [["price": ["id": .string(price)], "current_period_end": 4_000_000_000]]],
        ]
    }
}
