import Domain
import Foundation
import Jobs
import PostgresClient
import Stores
import TestSupport
import Testing

/// Stripe promises no order. Six events in every order there is, each order with rows of its own.
@Suite("Stripe's events in any order", .serialized)
struct StripeOrderTests {
    private typealias House = PaymentsHouse

    @Test("720 orderings of six events end in the same state, duplicates among them", arguments: [false, true])
    func orderings(ends: Bool) async throws {
        try await House.run { house in
            let orders = Self.permutations(Array(0..<6))
            #expect(orders.count == 720)
            let states = try await withThrowingTaskGroup(of: [String].self) { group in
                for lane in 0..<6 {
                    group.addTask {
                        var states: [String] = []
                        for number in stride(from: lane, to: orders.count, by: 6) {
                            states.append(try await Self.play(orders[number], "o\(number)", ends: ends, house))
                        }
                        return states
                    }
                }
                return try await group.reduce(into: [String]()) { $0 += $1 }
            }
            #expect(states.count == 720)
            #expect(Set(states) == [ends ? Self.ended : Self.going])
        }
    }

    // Tasks, subscription and payout as they must be in the end.
    private static let going =
        "open 25000 | professional active entitled | pending true 101 | customer linked | done done done done done done"
    private static let ended =
        "open 25000 | starter canceled none | pending true 101 | customer linked | done done done done done done"

    /// Plays one ordering, with every other event delivered twice, and shows what came of it.
    private static func play(_ order: [Int], _ name: String, ends: Bool, _ house: PaymentsHouse) async throws -> String
    {
        try await house.tenant(name)
        try await house.task("tsk_\(name)", tenant: name)
        try await house.payout(
            "sub_\(name)",
            task: "tsk_\(name)",
            tenant: name,
            account: "acct_\(name)",
            enabled: false
        )
        let events = events(name, ends: ends)
        for index in order {
            try await house.accept(events[index])
            if index % 2 == 0 { try await house.accept(events[index]) }
            try await house.work(.processStripeEvent, key: "stripe.event:evt_\(index)_\(name)")
        }
        // What found no match the first time is tried again.
        for index in order { try await house.work(.processStripeEvent, key: "stripe.event:evt_\(index)_\(name)") }
        return try await house.text(state(name)) ?? "nothing"
    }

    private static func events(_ name: String, ends: Bool) -> [JSON] {
        func sub(_ status: String, _ price: String) -> JSON {
            ProcessStripeEventTests.subscription(nil, status, price, customer: "cus_\(name)")
        }
        let bought: JSON = [
            "id": .string("cs_sub_\(name)"), "mode": "subscription", "customer": .string("cus_\(name)"),
            "client_reference_id": .string(name),
        ]
        let account: JSON = ["id": .string("acct_\(name)"), "payouts_enabled": true]
        let last =
            ends
            ? House.event("evt_4_\(name)", "customer.subscription.deleted", at: 101, sub("canceled", "price_s"))
            : House.event("evt_4_\(name)", "customer.subscription.updated", at: 101, sub("active", "price_p"))
        return [
            House.event("evt_0_\(name)", "checkout.session.completed", at: 100, House.paid("tsk_\(name)")),
            House.event("evt_1_\(name)", "checkout.session.completed", at: 100, bought),
            House.event("evt_2_\(name)", "customer.subscription.created", at: 100, sub("incomplete", "price_s")),
            // Of the same second as its creation.
            House.event("evt_3_\(name)", "customer.subscription.updated", at: 100, sub("active", "price_e")),
            last, House.event("evt_5_\(name)", "account.updated", at: 101, account),
        ]
    }

    private static func state(_ name: String) -> SQL {
        """
        SELECT t.status || ' ' || t.funded_cents || ' | ' || s.plan || ' ' || s.status || ' '
            || CASE WHEN e.plan IS NULL THEN 'none' ELSE 'entitled' END || ' | '
            || p.status || ' ' || a.payouts_enabled || ' ' || extract(epoch FROM a.changed_at)::int || ' | '
            || CASE WHEN b.stripe_customer_id = 'cus_' || t.tenant_id THEN 'customer linked' ELSE '?' END || ' | '
            || (SELECT string_agg(CASE WHEN v.status IN ('done','ignored') THEN 'done' ELSE v.status || ' ' || v.error END, ' ')
                FROM stripe_events v WHERE v.id = ANY(\((0..<6).map { "evt_\($0)_\(name)" })::text[]))
        FROM collect_tasks t
        JOIN payouts p ON p.tenant_id = t.tenant_id
        JOIN payout_accounts a ON a.user_id = p.contributor_id
        LEFT JOIN subscriptions s ON s.tenant_id = t.tenant_id
        LEFT JOIN entitlements e ON e.tenant_id = t.tenant_id
        LEFT JOIN billing_customers b ON b.tenant_id = t.tenant_id
        WHERE t.tenant_id = \(name)
        """
    }

    private static func permutations(_ items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.flatMap { first in permutations(items.filter { $0 != first }).map { [first] + $0 } }
    }
}
