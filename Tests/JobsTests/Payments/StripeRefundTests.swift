import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// What goes back to buyers, and what is tried again for contributors.
@Suite("Refunds and failed payouts", .serialized)
struct StripeRefundTests {
    private typealias House = PaymentsHouse

    /// A task of 25,000 cents that was paid, of which two approvals have spent 500, and that is cancelled now.
    private func cancelled(_ house: PaymentsHouse, payment: String? = "pi_1") async throws {
        try await house.tenant("t1")
        try await house.task("tsk_1", tenant: "t1")
        let paid = House.paid("tsk_1").objectValue ?? [:]
        let object = payment.map { paid.merging(["payment_intent": .string($0)]) { $1 } } ?? paid
        try await house.accept(House.event("evt_1", "checkout.session.completed", at: 100, .object(object)))
        try await house.work(.processStripeEvent)
        _ = try await house.world.postgres.query(
            "UPDATE collect_tasks SET approved_count = 2, status = 'cancelled' WHERE status = 'open'"
        )
        #expect(try await PaymentRetry.refund("tsk_1", in: house.world.queue))
    }

    private func refund(_ house: PaymentsHouse) async throws -> String? {
        try await house.text(
            "SELECT refund_status || ' ' || refund_cents || ' ' || coalesce(stripe_refund_id, '-') FROM collect_tasks"
        )
    }

    @Test(
        "S-41: what a cancelled task has not spent goes back once, whatever goes wrong on the way",
        arguments: [nil, ScriptedStripe.Fault.status(500), .cut, .cutAfterwards]
    )
    func refunded(fault: ScriptedStripe.Fault?) async throws {
        try await House.run { house in
            try await cancelled(house)
            #expect(try await !PaymentRetry.refund("tsk_1", in: house.world.queue), "it is under way")
            if let fault {
                house.stripe.fail(fault)
                #expect(try await house.work(.refundTask) == [.queued])
            }
            #expect(try await house.work(.refundTask) == [.done])
            let made = house.stripe.made("/v1/refunds")
            #expect(made.count == 1 && made.first?.key == "refund:tsk_1")
            #expect(made.first?.form["amount"] == "24500" && made.first?.form["payment_intent"] == "pi_1")
            #expect(try await refund(house) == "done 24500 \(made.first?.id ?? "")")
            #expect(try await !PaymentRetry.refund("tsk_1", in: house.world.queue))
            #expect(try await house.work(.refundTask).isEmpty)
        }
    }

    @Test("A payment that its event did not name is looked up by its Checkout session")
    func lookedUp() async throws {
        try await House.run { house in
            try await cancelled(house, payment: nil)
            #expect(try await house.work(.refundTask) == [.done])
            #expect(house.stripe.made("/v1/refunds").first?.form["payment_intent"] == "pi_of_cs_1")
        }
    }

    @Test("A refund that Stripe refuses is failed with its words; an operator tries again with another key")
    func refused() async throws {
        try await House.run { house in
            try await cancelled(house)
            house.stripe.fail(.status(400, code: "charge_disputed"))
            #expect(try await house.work(.refundTask) == [.dead])
            #expect(try await refund(house) == "failed 24500 -")
            #expect(try await house.text("SELECT refund_error FROM collect_tasks")?.contains("charge_disputed") == true)
            for _ in 0..<2 { try await PaymentsRecovery.run(house.world.queue, modes: [.live]) }
            #expect(try await house.world.count("kind = 'stripe.refund' AND state = 'queued'") == 0)
            #expect(try await PaymentRetry.refund("tsk_1", in: house.world.queue))
            try await PaymentsRecovery.run(house.world.queue, modes: [.live])
            #expect(try await refund(house) == "pending 24500 -", "the death before the retry counts no more")
            #expect(try await house.work(.refundTask) == [.done])
            #expect(house.stripe.made("/v1/refunds").map(\.key) == ["refund:tsk_1:1"])
        }
    }

    @Test("After Stripe has forgotten the key, a refund that was made is found and not made again")
    func old() async throws {
        try await House.run { house in
            try await cancelled(house)
            house.stripe.fail(.cutAfterwards)
            #expect(try await house.work(.refundTask) == [.queued])
            _ = try await house.world.postgres.query(
                "UPDATE collect_tasks SET refund_asked_at = now() - interval '2 days', refund_refusals = 5"
            )
            #expect(try await house.work(.refundTask) == [.done])
            #expect(house.stripe.made("/v1/refunds").count == 1)
        }
    }

    @Test("Stripe's events tie, fail and settle refunds in any order, and once")
    func events() async throws {
        try await House.run { house in
            try await cancelled(house)
            func refundEvent(_ id: String, _ status: String, _ amount: Int = 24_500) -> JSON {
                [
                    "id": .string(id), "amount": .integer(amount), "status": .string(status),
                    "metadata": ["task_id": "tsk_1"],
                ]
            }
            func tell(_ id: String, _ type: String, _ object: JSON) async throws -> String {
                try await house.accept(House.event(id, type, at: 100, object))
                try await house.work(.processStripeEvent, key: "stripe.event:\(id)")
                return try await house.status(of: id)
            }
            #expect(try await tell("evt_a", "refund.created", refundEvent("re_9", "pending")) == "done")
            #expect(try await refund(house) == "done 24500 re_9")
            #expect(try await house.work(.refundTask) == [.cancelled])
            #expect(try await tell("evt_b", "refund.updated", refundEvent("re_9", "succeeded")) == "ignored")
            #expect(try await tell("evt_c", "refund.created", refundEvent("re_10", "succeeded", 3)) == "unmatched")
            #expect(try await tell("evt_d", "refund.failed", refundEvent("re_9", "failed")) == "done")
            #expect(try await refund(house) == "failed 24500 re_9")
            #expect(try await tell("evt_e", "refund.updated", refundEvent("re_9", "succeeded")) == "ignored")
            let charge: JSON = ["id": "ch_1", "amount_refunded": 25_000, "metadata": ["task_id": "tsk_1"]]
            // The charge's event may be that of the refund which failed afterwards: it proves nothing.
            #expect(try await tell("evt_f", "charge.refunded", charge) != "done")
            #expect(try await refund(house) == "failed 24500 re_9")
            let foreign: JSON = ["id": "ch_2", "amount_refunded": 1]
            #expect(try await tell("evt_g", "charge.refunded", foreign) == "ignored")
        }
    }

    @Test("Money that the operator booked, and that of a task that is not cancelled, does not go back through Stripe")
    func notRefunded() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            _ = try await house.world.stores.collectionDesk.fund(ID("tsk_1"), amount: nil)
            #expect(try await !PaymentRetry.refund("tsk_1", in: house.world.queue))
            _ = try await house.world.postgres.query("UPDATE collect_tasks SET status = 'cancelled'")
            #expect(try await !PaymentRetry.refund("tsk_1", in: house.world.queue))
            #expect(try await !PaymentRetry.refund("tsk_none", in: house.world.queue))
        }
    }

    // MARK: Payouts

    @Test(
        "J-11: a payout whose job died is failed and says why, stays so, and is paid once when an operator retries it"
    )
    func deadPayout() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            try await house.payout("sub_1", task: "tsk_1", tenant: "t1", account: "acct_1", enabled: true)
            try await house.world.queue.transaction { transaction in
                try await TransferPayout.enqueue("sub_1", tenant: "t1", in: transaction)
            }
            // The transfer is made, and the worker dies over it for the last time.
            house.stripe.fail(.cutAfterwards)
            #expect(try await house.work(.transferPayout) == [.queued])
            _ = try await house.world.postgres.query(
                """
                UPDATE jobs SET state = 'dead', dead_reason = 'poison', error = 'took its worker down',
                  finished_at = clock_timestamp() WHERE kind = 'payout.transfer'
                """
            )
            for _ in 0..<2 { try await PaymentsRecovery.run(house.world.queue, modes: [.live]) }
            let state: SQL = "SELECT status || ' ' || coalesce(error, '-') FROM payouts"
            #expect(try await house.text(state) == "failed took its worker down")
            #expect(try await house.world.count("kind = 'payout.transfer' AND state = 'queued'") == 0)
            #expect(try await PayoutEntry.list("failed", limit: 5, from: house.world.postgres).count == 1)
            #expect(try await PaymentRetry.payout("sub_1", in: house.world.queue))
            #expect(try await !PaymentRetry.payout("sub_1", in: house.world.queue))
            try await PaymentsRecovery.run(house.world.queue, modes: [.live])
            #expect(try await house.text(state) == "pending -")
            #expect(try await house.work(.transferPayout) == [.done])
            #expect(try await house.text(state) == "paid -")
            #expect(house.stripe.made("/v1/transfers").count == 1)
        }
    }

    @Test("Retries, releases and settlements of the same payouts at once neither deadlock nor pay twice")
    func locks() async throws {
        try await House.run { house in
            try await house.tenant("t1")
            try await house.task("tsk_1", tenant: "t1")
            let names = (0..<12).map { "sub_\($0)" }
            for name in names {
                try await house.payout(name, task: "tsk_1", tenant: "t1", account: "acct_\(name)", enabled: true)
            }
            _ = try await house.world.postgres.query("UPDATE payouts SET status = 'failed'")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in names {
                    group.addTask { _ = try await PaymentRetry.payout(name, in: house.world.queue) }
                    group.addTask { _ = try await house.work(.transferPayout, key: "payout:\(name)") }
                    group.addTask { try await PaymentsRecovery.run(house.world.queue, modes: [.live]) }
                }
                try await group.waitForAll()
            }
            try await house.work(.transferPayout)
            #expect(try await house.text("SELECT count(*)::text FROM payouts WHERE status = 'paid'") == "12")
            #expect(house.stripe.made("/v1/transfers").count == 12)
        }
    }
}
