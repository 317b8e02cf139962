import Domain
import Foundation
import Testing

@Suite("What Stripe's events ask for")
struct StripeEventTests {
    private static let prices = StripePrices("starter=price_s, professional=price_p,professional=price_py") ?? .none

    private func effect(_ type: String, _ object: JSON) throws -> StripeEffect {
        let json: JSON = ["id": "evt_1", "type": .string(type), "created": 100, "data": ["object": object]]
        return try #require(StripeEvent(json)).effect(Self.prices)
    }

    private static let session: [String: JSON] = [
        "id": "cs_1", "mode": "payment", "payment_status": "paid", "currency": "usd", "amount_total": 25000,
        "metadata": ["task_id": "tsk_1"],
    ]

    @Test("T-26: a paid session funds its task")
    func funds() throws {
        let funding = TaskFunding(task: "tsk_1", session: "cs_1", amountCents: 25000)
        #expect(try effect("checkout.session.completed", .object(Self.session)) == .fund(funding))
        var referenced = Self.session
        referenced["metadata"] = nil
        referenced["client_reference_id"] = "tsk_1"
        #expect(try effect("checkout.session.completed", .object(referenced)) == .fund(funding))
    }

    @Test(
        "D-71: unpaid, in another currency, without amount or task is unmatched",
        arguments: [
            ("payment_status", JSON.string("unpaid")), ("currency", JSON.string("eur")), ("amount_total", JSON.null),
            ("metadata", JSON.object([:])),
        ]
    )
    func unmatched(member: String, value: JSON) throws {
        var session = Self.session
        session[member] = value
        guard case .unmatched = try effect("checkout.session.completed", .object(session)) else {
            Issue.record("\(member)")
            return
        }
    }

    @Test("D-71: a subscription's checkout links the customer, another mode is ignored")
    func links() throws {
        let bought: JSON = ["id": "cs_2", "mode": "subscription", "customer": "cus_1", "client_reference_id": "t1"]
        #expect(try effect("checkout.session.completed", bought) == .link(tenant: "t1", customer: "cus_1"))
        guard case .ignored = try effect("checkout.session.completed", ["id": "cs_3", "mode": "setup"]) else {
            Issue.record("setup")
            return
        }
    }

    @Test("T-27: accounts and transfers")
    func connect() throws {
        let account = try effect("account.updated", ["id": "acct_1", "payouts_enabled": true])
        #expect(account == .account("acct_1", payoutsEnabled: true))
        let ours: JSON = ["id": "tr_1", "amount": 250, "metadata": ["submission_id": "sub_1"]]
        #expect(try effect("transfer.created", ours) == .transfer("tr_1", submission: "sub_1", amountCents: 250))
        guard case .ignored = try effect("transfer.created", ["id": "tr_2", "amount": 1]) else {
            Issue.record("a transfer of somebody else's")
            return
        }
    }

    @Test(
        "T-28: every other type is ignored",
        arguments: ["invoice.paid", "payout.paid", "", "checkout.session.expired"]
    )
    func ignored(type: String) throws {
        guard let event = StripeEvent(["id": "evt_1", "type": .string(type)]) else { return }
        guard case .ignored = event.effect(.none) else {
            Issue.record("\(type)")
            return
        }
    }

    private func news(_ type: String, _ members: [String: JSON]) throws -> SubscriptionNews? {
        let base: [String: JSON] = ["id": "sub_1", "customer": "cus_1", "status": "active"]
        guard case .subscription(let news) = try effect(type, .object(base.merging(members) { $1 })) else { return nil }
        return news
    }

    @Test("Subscriptions of old and new API versions are read: price, plan, lookup key, period end")
    func versions() throws {
        let new: JSON = ["data": [["current_period_end": 200, "price": ["id": "price_py"]]]]
        let newer = try news("customer.subscription.updated", ["items": new])
        #expect(newer?.plan == .professional && newer?.periodEnd == 200 && newer?.rank == 1)
        let old = try news("customer.subscription.created", ["plan": ["id": "price_s"], "current_period_end": 300])
        #expect(old?.plan == .starter && old?.periodEnd == 300 && old?.rank == 0)
        let keyed: JSON = ["data": [["price": ["id": "x", "lookup_key": "enterprise"]], ["price": ["id": "price_s"]]]]
        #expect(try news("customer.subscription.updated", ["items": keyed])?.plan == .enterprise)
        let noted: JSON = ["data": [["price": ["id": "x", "metadata": ["plan": "starter"]]]]]
        #expect(try news("customer.subscription.updated", ["items": noted])?.plan == .starter)
        let whole = try news("customer.subscription.deleted", ["customer": ["id": "cus_9"], "plan": ["id": "price_s"]])
        #expect(whole?.customer == "cus_9" && whole?.status == "canceled" && whole?.rank == 2)
    }

    @Test("A price of nobody's is unmatched, unless the subscription has ended")
    func unknownPrice() throws {
        let stranger: JSON = ["id": "sub_1", "status": "active", "plan": ["id": "price_x"]]
        guard case .unmatched(let reason) = try effect("customer.subscription.updated", stranger) else {
            Issue.record("a stranger's price")
            return
        }
        #expect(reason.contains("price_x") && reason.contains("GC_STRIPE_PRICES"))
        #expect(try news("customer.subscription.deleted", ["plan": ["id": "price_x"]])?.plan == nil)
    }

    @Test(
        "Bodies that are no events are none",
        arguments: ["", "[]", "{}", #"{"id":1,"type":"x"}"#, #"{"id":"evt_1"}"#]
    )
    func broken(body: String) {
        #expect(StripeEvent(payload: Data(body.utf8)) == nil)
    }

    @Test("GC_STRIPE_PRICES names plans of ours only", arguments: ["starter", "starter=", "gold=price_1", "=x"])
    func prices(text: String) {
        #expect(StripePrices(text) == nil)
        #expect(Self.prices.price(of: .professional) == "price_p" && Self.prices.price(of: .enterprise) == nil)
    }
}
