import AsyncHTTPClient
import Crew
import Domain
import Foundation
import Jobs
import Outside
import PostgresClient
import Queue
import Stores
import TestSupport

/// A database, a scripted Stripe, and a worker that does one job at a time when the test says so.
struct PaymentsHouse: Sendable {
    let world: World
    let stripe: ScriptedStripe
    let services: JobServices
    let session: Int

    /// - Parameter live: the keys are live ones.
    static func run(
        keys: [KeyMode: String] = [.live: "sk_test_1", .test: "sk_test_1"],
        billingIsLive: Bool = false,
        _ body: (PaymentsHouse) async throws -> Void
    ) async throws {
        let world = try await World.fresh(queues: QueueName.names).agreed()
        let stripe = try await ScriptedStripe.start()
        let client = StripeClient(
            base: stripe.baseURL,
            keys: keys,
            publicURL: "https://crew.example/",
            client: HTTPClient.shared,
            limit: 2
        )
        let prices = StripePrices("starter=price_s,professional=price_p,enterprise=price_e") ?? .none
        let routing = CrewRouting(prices: PriceTable(unpricedIsFree: true), providers: [], defaultModel: nil)
        let services = JobServices(
            stores: world.stores,
            models: Models(routing: routing, providers: [], allowSimulation: false),
            payments: PaymentServices(client: client, prices: prices, billingIsLive: billingIsLive)
        )
        let session = try await world.session(lease: .seconds(600), slots: 1000)
        do {
            try await body(PaymentsHouse(world: world, stripe: stripe, services: services, session: session))
        } catch {
            try await stripe.stop()
            throw error
        }
        try await stripe.stop()
        await world.close()
    }

    // MARK: Work

    /// Does every waiting job of a kind once, whenever it is due, and says how each ended.
    ///
    /// - Parameter key: only the one with this unique key.
    @discardableResult
    func work(_ kind: JobKind, key: String? = nil) async throws -> [JobState] {
        let one: SQL = key.map { "unique_key = \($0)" } ?? "true"
        let ids = try await world.postgres.query(
            """
            UPDATE jobs SET run_at = clock_timestamp() - interval '1 second'
            WHERE kind = \(kind.rawValue) AND state = 'queued' AND \(clause: one) RETURNING id
            """
        ).map { try $0.decode(Int.self) }
        var states: [JobState] = []
        for id in ids.sorted() { states += try await work([id]) }
        return states
    }

    private func work(_ ids: [Int]) async throws -> [JobState] {
        let claimed = try Ledger.claimed(await world.postgres.query(Ledger.claim(ids, session: session)))
        var states: [JobState] = []
        for job in claimed { states.append(try await work(job)) }
        return states
    }

    func claim(_ kind: JobKind) async throws -> ClaimedJob? {
        let ids = try await world.postgres.query(
            "SELECT id FROM jobs WHERE kind = \(kind.rawValue) AND state = 'queued' ORDER BY id LIMIT 1"
        ).map { try $0.decode(Int.self) }
        return try Ledger.claimed(await world.postgres.query(Ledger.claim(ids, session: session))).first
    }

    func work(_ claimed: ClaimedJob) async throws -> JobState {
        guard let kind = JobKind(rawValue: claimed.kind) else { throw NeverHappened(description: claimed.kind) }
        let job = try kind.job.decode(claimed.payload)
        let context = JobContext(job: claimed, queue: world.queue, services: services, logger: world.logger)
        var ending: Verdict.Ending
        do {
            ending = .returned(try await job.run(context))
        } catch let error as Fenced {
            throw error
        } catch {
            ending = .threw(error)
        }
        let retry = kind.job.policy.retry
        guard let settlement = Verdict.settlement(of: ending, job: claimed, retry: retry, jitter: 1) else {
            return .done
        }
        let settled = SettledJob(id: claimed.id, attempt: claimed.attempt, settlement: settlement)
        _ = try await world.postgres.query(Ledger.settle([settled]))
        return settlement.state
    }

    // MARK: Events

    /// Takes an event in, as the receiver does once it knows who signed it.
    func accept(_ json: JSON) async throws {
        guard let event = StripeEvent(json) else { throw NeverHappened(description: "no event: \(json.text)") }
        try await StripeInbox.accept(event, payload: json.text, into: world.queue)
    }

    static func event(_ id: String, _ type: String, at created: Int, live: Bool = true, _ object: JSON) -> JSON {
        [
            "id": .string(id), "object": "event", "type": .string(type), "created": .integer(created),
            "livemode": .bool(live), "data": ["object": object],
        ]
    }

    static func paid(_ task: String, cents: Int = 25_000, session: String = "cs_1", status: String = "paid") -> JSON {
        [
            "id": .string(session), "mode": "payment", "payment_status": .string(status), "currency": "usd",
            "amount_total": .integer(cents), "metadata": ["task_id": .string(task)],
        ]
    }

    func status(of event: String) async throws -> String {
        try await world.postgres.query("SELECT status FROM stripe_events WHERE id = \(event)").first?
            .decode(String.self) ?? "none"
    }

    // MARK: Rows

    func tenant(_ id: String) async throws {
        _ = try await world.postgres.query("INSERT INTO tenants (id, name) VALUES (\(id), 'T')")
    }

    /// A task of 100 × 250 cents.
    func task(_ id: String, tenant: String, live: Bool = true) async throws {
        _ = try await world.postgres.query(
            """
            INSERT INTO collect_tasks (id, tenant_id, livemode, title, instructions, reward_cents, target_submissions)
            VALUES (\(id), \(tenant), \(live)::boolean, 'Streets & lights', 'Walk along.', 250, 100)
            """
        )
    }

    /// A contributor with an account and an approved submission of `task`, whose payout waits.
    func payout(_ submission: String, task: String, tenant: String, account: String, enabled: Bool) async throws {
        let user = "user-\(submission)"
        _ = try await world.postgres.pipeline([
            "INSERT INTO users (id, kind, name) VALUES (\(user), 'contributor', 'C')",
            """
            INSERT INTO payout_accounts (user_id, livemode, stripe_account_id, payouts_enabled)
            SELECT \(user)::text, livemode, \(account), \(enabled)::boolean FROM collect_tasks WHERE id = \(task)
            """,
            """
            INSERT INTO submissions (id, tenant_id, task_id, contributor_id, media_object_key, duration_seconds, byte_size,
              status) VALUES (\(submission), \(tenant), \(task), \(user), \(submission), 30, 1, 'approved')
            """,
            """
            INSERT INTO payouts (submission_id, tenant_id, contributor_id, amount_cents, status)
            VALUES (\(submission), \(tenant), \(user), 250, \(enabled ? "pending" : "blocked"))
            """,
        ])
    }

    func text(_ sql: SQL) async throws -> String? {
        guard let row = try await world.postgres.query(sql).first else { return nil }
        let text: String? = try row.decode(String?.self)
        return text
    }
}
