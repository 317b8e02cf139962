import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

/// Ring 3: Stripe's events and calls with the real binary.
@Suite("Stripe", .serialized)
struct StripeTests {
    private func post(_ url: String, _ body: String, _ headers: [String: String]) async throws -> (Int, JSON) {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), (try? JSON(parsing: Data(bytes.readableBytesView))) ?? .null)
    }

    private func text(_ fleet: FleetUnderTest, _ sql: SQL) async throws -> String? {
        guard let row = try await fleet.world.postgres.query(sql).first else { return nil }
        let text: String? = try row.decode(String?.self)
        return text
    }

    private func task(_ fleet: FleetUnderTest, _ id: String, tenant: Tenant.ID) async throws {
        _ = try await fleet.world.postgres.query(
            """
            INSERT INTO collect_tasks (id, tenant_id, livemode, title, instructions, reward_cents, target_submissions,
              created_at)
            VALUES (\(id), \(tenant), false, 'Streets', 'Walk along.', 250, 100, now() - interval '1 hour')
            """
        )
    }

    @Test("SC-28: a task is funded by a signed event; fifty at once and a worker that is killed make one effect")
    func funded() async throws {
        let fleet = try await FleetUnderTest(extra: ["GC_STRIPE_WEBHOOK_SECRET": "whsec_a,whsec_b"])
        let port = freePort()
        var processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("worker")]
        _ = try await Caller.ready(fleet, port: port)
        let tenant = try await fleet.world.stores.accounts.createTenant(name: "T", plan: nil).id
        let url = "http://127.0.0.1:\(port)/api/webhooks/stripe"
        for number in 0..<10 {
            let task = "tsk_\(number)"
            try await self.task(fleet, task, tenant: tenant)
            let body = """
                {"id":"evt_\(number)","type":"checkout.session.completed","created":100,"livemode":false,"data":{"object":\
                {"id":"cs_1","mode":"payment","payment_status":"paid","currency":"usd","amount_total":25000,\
                "metadata":{"task_id":"\(task)"}}}}
                """
            let header = StripeSigner.header(body, secret: "whsec_b")
            // Every other time the worker dies right then.
            if number % 2 == 1 { processes[1].signal(SIGKILL) }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<(number == 0 ? 50 : 3) {
                    group.addTask { try await post(url, body, ["Stripe-Signature": header]).0 }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(Set(statuses) == [200])
            if number % 2 == 1 { processes[1] = try fleet.start("worker") }
        }
        let scheduler = try fleet.start("scheduler")
        try await eventually(within: .seconds(60), "all ten tasks to be open, once each") {
            try await text(
                fleet,
                "SELECT count(*)::text || ' ' || sum(funded_cents) FROM collect_tasks WHERE status = 'open'"
            ) == "10 250000"
        }
        #expect(try await fleet.world.count("kind = 'stripe.event'") == 10)
        for process in processes + [scheduler] { process.signal(SIGKILL) }
        await fleet.close()
    }

    @Test("A worker killed between Stripe's transfer and its own commit: one transfer in the end")
    func killed() async throws {
        let stripe = try await ScriptedStripe.start()
        let fleet = try await FleetUnderTest(
            extra: ["GC_STRIPE_SECRET_KEY": "sk_test_1", "GC_STRIPE_API_BASE": stripe.baseURL]
        )
        let tenant = try await fleet.world.stores.accounts.createTenant(name: "T", plan: nil).id
        try await task(fleet, "tsk_1", tenant: tenant)
        _ = try await fleet.world.postgres.pipeline([
            "INSERT INTO users (id, kind, name) VALUES ('u1', 'contributor', 'C')",
            "INSERT INTO payout_accounts (user_id, livemode, stripe_account_id, payouts_enabled) VALUES ('u1', false, 'acct_1', true)",
            """
            INSERT INTO submissions (id, tenant_id, task_id, contributor_id, media_object_key, duration_seconds, byte_size,
              status) VALUES ('sub_1', \(tenant), 'tsk_1', 'u1', 'm', 30, 1, 'approved')
            """,
            """
            INSERT INTO payouts (submission_id, tenant_id, contributor_id, amount_cents)
            VALUES ('sub_1', \(tenant), 'u1', 250)
            """,
        ])
        // The scheduler finds the payout and the task without a page.
        stripe.fail(.late(.seconds(30)), .late(.seconds(30)))
        let scheduler = try fleet.start("scheduler")
        let first = try fleet.start("worker")
        try await eventually(within: .seconds(30), "Stripe to have made both") {
            stripe.made("/v1/transfers").count == 1 && stripe.made("/v1/checkout/sessions").count == 1
        }
        first.signal(SIGKILL)
        let second = try fleet.start("worker")
        try await eventually(within: .seconds(40), "the payout to be paid and the task to have its page") {
            let status = try await text(fleet, "SELECT status FROM payouts")
            let url = try await text(fleet, "SELECT funding_url FROM collect_tasks")
            return status == "paid" && url != nil
        }
        #expect(stripe.made("/v1/transfers").count == 1 && stripe.made("/v1/checkout/sessions").count == 1)
        let known = try await text(fleet, "SELECT stripe_transfer_id FROM payouts")
        #expect(known == stripe.made("/v1/transfers").first?.id)
        for process in [scheduler, second] { process.signal(SIGKILL) }
        await fleet.close()
        try await stripe.stop()
    }

    @Test(
        "A subscription made in localstripe reaches us by its own webhook and switches the tenant's plan",
        .enabled(if: PythonTools.python != nil, "PyPI cannot be reached: localstripe is not installed")
    )
    func localstripe() async throws {
        let python = try #require(PythonTools.python)
        let fleet = try await FleetUnderTest(
            extra: [
                "GC_STRIPE_WEBHOOK_SECRET": "whsec_local",
                "GC_STRIPE_PRICES": "professional=plan_pro,enterprise=plan_ent",
            ]
        )
        let port = freePort()
        let processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("worker")]
        _ = try await Caller.ready(fleet, port: port)
        let tenant = try await fleet.world.stores.accounts.createTenant(name: "T", plan: nil).id
        let local = try await Localstripe.start(python)
        defer { local.stop() }
        _ = try await local.post(
            "/_config/webhooks/crew",
            #"{"url":"http://127.0.0.1:\#(port)/api/webhooks/stripe","secret":"whsec_local"}"#,
            json: true
        )
        for plan in ["plan_pro", "plan_ent"] {
            _ = try await local.post(
                "/v1/plans",
                "id=\(plan)&amount=1000&currency=usd&interval=month&product[name]=\(plan)"
            )
        }
        let customer = try await local.customerWithCard()
        let plan: SQL = "SELECT plan FROM entitlements WHERE tenant_id = \(tenant)"
        var bought = ""
        for (sold, expected) in [("plan_pro", "professional"), ("plan_ent", "enterprise")] {
            let made = try await local.post(
                "/v1/subscriptions",
                "customer=\(customer)&items[0][plan]=\(sold)&metadata[tenant_id]=\(tenant)"
            )
            bought = try #require(made["id"]?.stringValue, "\(made.text)")
            try await eventually(within: .seconds(20), "the plan to be \(expected)") {
                try await text(fleet, plan) == expected
            }
        }
        #expect(try await text(fleet, "SELECT stripe_customer_id FROM billing_customers") == customer)
        try await local.delete("/v1/subscriptions/\(bought)")
        try await eventually(within: .seconds(20), "the plan to be professional again") {
            try await text(fleet, plan) == "professional"
        }
        for process in processes { process.signal(SIGKILL) }
        await fleet.close()
    }
}

/// PyPI's localstripe in a child process.
final class Localstripe: Sendable {
    private let process: ChildProcess
    private let port = freePort()

    private init(_ python: String) throws {
        process = try ChildProcess(python, ["-m", "localstripe", "--port", "\(port)", "--from-scratch"])
    }

    static func start(_ python: String) async throws -> Localstripe {
        let server = try Localstripe(python)
        try await eventually(within: .seconds(20), "localstripe to listen") {
            (try? await server.call(.GET, "/v1/plans", "", json: false)) != nil
        }
        return server
    }

    func stop() { process.signal(SIGKILL) }

    @discardableResult
    func post(_ path: String, _ body: String, json: Bool = false) async throws -> JSON {
        try await call(.POST, path, body, json: json)
    }

    /// A customer whose card pays.
    func customerWithCard() async throws -> String {
        let customer = try await post("/v1/customers", "description=T")["id"]?.stringValue ?? ""
        let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123"
        let method = try await post("/v1/payment_methods", card)["id"]?.stringValue ?? ""
        try await post("/v1/payment_methods/\(method)/attach", "customer=\(customer)")
        try await post("/v1/customers/\(customer)", "invoice_settings[default_payment_method]=\(method)")
        return customer
    }

    func delete(_ path: String) async throws { _ = try await call(.DELETE, path, "", json: false) }

    private func call(_ method: Verb, _ path: String, _ body: String, json: Bool) async throws -> JSON {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .init(rawValue: method.rawValue)
        request.headers.add(name: "Authorization", value: "Bearer sk_test_local")
        if !body.isEmpty {
            let type = json ? "application/json" : "application/x-www-form-urlencoded"
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (try? JSON(parsing: Data(bytes.readableBytesView))) ?? .null
    }

    private enum Verb: String {
        case GET, POST, DELETE
    }
}
