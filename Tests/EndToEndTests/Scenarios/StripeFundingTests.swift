import AsyncHTTPClient
import Domain
import Embedded
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-28, T-24 to T-28: only a good event about the whole sum opens a task, once, early or late, and with Redis down"
    )
    func stripeFunding() async throws {
        let house = try #require(Scene.current).house
        let buyer = try await house.customer(nil)
        let d1 = try await buyer.buyer()
        let stripe = StripeEvents(house: house)
        // An event whose task is not committed yet.
        let early = "tsk_" + CUID.make()
        #expect(try await stripe.post(stripe.paid(early)) == 200)
        let task = try await d1.a.createTask()
        try await refused(task, d1, stripe)
        let good = stripe.paid(task)
        #expect(try await atOnce(10) { try await stripe.post(good, to: $0) }.allSatisfy { $0 == 200 })
        try await opened(task, d1)
        let before = try await d1.a.task(task)
        #expect(try await stripe.post(good) == 200, "sent again")
        #expect(try await stripe.post(stripe.event("invoice.paid", [:])) == 200)
        try await stripe.settled()
        #expect(try await d1.a.task(task) == before)
        try await withRedisDown(d1, house, stripe)
        _ = try await house.fleet.world.postgres.query(
            """
            INSERT INTO collect_tasks (id, tenant_id, livemode, title, instructions, reward_cents, target_submissions)
            VALUES (\(early), \(buyer.id), false, 'Streets', 'Walk along.', 250, 100)
            """
        )
        try await opened(early, d1)
    }

    /// Events that are not Stripe's are 400, and those that say something else change nothing.
    private func refused(_ task: String, _ d1: Credential, _ stripe: StripeEvents) async throws {
        let body = stripe.paid(task)
        let now = Int(Date.now.timeIntervalSince1970)
        let headers = [
            nil, StripeSigner.header(body, secret: "whsec_wrong"),
            StripeSigner.header(body + " ", secret: Scene.stripeSecret),
            StripeSigner.header(body, secret: Scene.stripeSecret, at: now - 301),
        ]
        for (turn, header) in headers.enumerated() {
            #expect(try await stripe.post(body, signed: header, to: turn) == 400, "header \(turn)")
        }
        let wrong: [JSON] = [["amount_total": 24_999], ["payment_status": "unpaid"]]
        for change in wrong { #expect(try await stripe.post(stripe.paid(task, change)) == 200) }
        #expect(try await stripe.post(stripe.paid(task, isLive: true)) == 200)
        try await stripe.settled()
        let shown = try await d1.b.task(task)
        #expect(shown?["status"] == "funding" && shown?["funded_cents"] == 0)
    }

    private func opened(_ task: String, _ d1: Credential) async throws {
        try await eventually(within: .seconds(60), "the task to be open") {
            try await d1.b.task(task)?["status"] == "open"
        }
        #expect(try await d1.a.task(task)?["funded_cents"] == 25_000)
    }

    private func withRedisDown(_ d1: Credential, _ house: Installation, _ stripe: StripeEvents) async throws {
        let task = try await d1.b.createTask()
        await house.fleet.redis.kill()
        #expect(try await stripe.post(stripe.paid(task)) == 200)
        try await house.fleet.redis.restart(empty: true)
        try await house.ready()
        try await opened(task, d1)
    }
}

/// Stripe, as the sender of events to the replicas.
private struct StripeEvents {
    let house: Installation

    /// A Checkout session of the task, paid in full unless changed.
    func paid(_ task: String, _ changes: JSON = [:], isLive: Bool = false) -> String {
        let session: JSON = [
            "id": "cs_1", "mode": "payment", "payment_status": "paid", "currency": "usd", "amount_total": 25_000,
            "metadata": ["task_id": .string(task)],
        ]
        let fields = (session.objectValue ?? [:]).merging(changes.objectValue ?? [:]) { $1 }
        return event("checkout.session.completed", .object(fields), isLive: isLive)
    }

    func event(_ type: String, _ object: JSON, isLive: Bool = false) -> String {
        let event: JSON = [
            "id": .string("evt_" + CUID.make()), "type": .string(type), "created": 100, "livemode": .bool(isLive),
            "data": ["object": object],
        ]
        return event.text
    }

    /// Sends it, rightly signed, to one of the replicas.
    func post(_ body: String, to turn: Int = 0) async throws -> Int {
        try await post(body, signed: StripeSigner.header(body, secret: Scene.stripeSecret), to: turn)
    }

    func post(_ body: String, signed header: String?, to turn: Int) async throws -> Int {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(house.ports[turn % 2])/api/webhooks/stripe")
        request.method = .POST
        if let header { request.headers.add(name: "Stripe-Signature", value: header) }
        request.body = .bytes(ByteBuffer(string: body))
        return try await Answer.to(request).status
    }

    /// Waits until every event that was kept has been looked at.
    func settled() async throws {
        try await eventually(within: .seconds(30), "all events to be looked at", poll: .milliseconds(20)) {
            let rows = try await house.fleet.world.postgres.query(
                "SELECT count(*) FROM stripe_events WHERE status = 'received'"
            )
            return try rows.first?.decode(Int.self) ?? -1 == 0
        }
    }
}
