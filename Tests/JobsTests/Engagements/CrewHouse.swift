import Crew
import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import Synchronization
import TestSupport
import Testing

/// A crew with scripted models on a real Postgres: claims, runs and settles jobs as a worker does.
struct CrewHouse: Sendable {
    let world: World
    let tenant: Tenant.ID
    let models: Models
    let session: Int
    let queue: JobQueue

    /// - Parameters:
    ///   - model: for every task; nil asks the routing table.
    ///   - key: stands for the key of every provider.
    ///   - clock: milliseconds by which rates are kept; nil is the clock of Redis.
    static func open(
        _ providers: [any LanguageModel],
        on other: CrewHouse? = nil,
        observer: Models.Observer = .off,
        model: String? = "test-model",
        key: String = "key",
        reviseBelow: Int = 60,
        isFree: Bool = true,
        allowSimulation: Bool = false,
        allowsDelegation: Bool = true,
        rates: RateTable = RateTable(),
        clock: (@Sendable () -> Int)? = nil
    ) async throws -> CrewHouse {
        let world: World
        if let other { world = other.world } else { world = try await World.fresh(queues: QueueName.names).agreed() }
        let tenant: Tenant.ID
        if let other {
            tenant = other.tenant
        } else {
            tenant = try await world.stores.accounts.createTenant(name: "T", plan: .enterprise).id
        }
        let models = Models(
            routing: CrewRouting(
                prices: PriceTable(unpricedIsFree: isFree),
                providers: Set(providers.map(\.id)),
                defaultModel: model
            ),
            providers: providers,
            allowSimulation: allowSimulation,
            observer: observer,
            accounts: providers.map { ProviderMarks.Account(provider: $0.id, id: key) },
            reviseBelow: reviseBelow,
            allowsDelegation: allowsDelegation,
            rates: rates
        )
        let session = try await world.session(lease: .seconds(600))
        var queue = world.queue
        if let clock { queue.rates = RateBuckets(world.ledger, world.dispatch, clock: clock) }
        return CrewHouse(world: world, tenant: tenant, models: models, session: session, queue: queue)
    }

    // MARK: Runs

    func start(_ tasks: JSON, budget: NanoUSD = NanoUSD(nanos: 5_000_000_000)) async throws -> Run.ID {
        let engagement = Engagement.ID.make()
        let run = Run.ID.make()
        _ = try await world.postgres.pipeline([
            """
            INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos, status, tasks)
            VALUES (\(engagement), \(tenant), 'Robots', 'C', 's', 'We want to sell mowing robots.', \(budget)::bigint,
                    'running', \(tasks)::jsonb)
            """,
            """
            INSERT INTO runs (id, tenant_id, engagement_id, budget_nanos)
            VALUES (\(run), \(tenant), \(engagement), \(budget)::bigint)
            """,
        ])
        try await world.queue.enqueue(
            StartCrew(run: run),
            tenant: tenant.rawValue,
            uniqueKey: StartCrew.uniqueKey(run)
        )
        return run
    }

    /// Starts a run of one task and plans it: its first step waits.
    func startOne(_ id: String = "a") async throws -> Run.ID {
        let run = try await start([["id": .string(id), "title": "First", "rubric": "analytical"]])
        try await work(kind: .startCrew)
        return run
    }

    func status(_ run: Run.ID) async throws -> String { try await text("SELECT status FROM runs WHERE id = \(run)") }

    func error(_ run: Run.ID) async throws -> String {
        try await text("SELECT coalesce(error, '') FROM runs WHERE id = \(run)")
    }

    func log(_ run: Run.ID) async throws -> String {
        try await text(
            "SELECT coalesce(string_agg(data->>'message', E'\\n'), '') FROM run_events WHERE run_id = \(run)"
        )
    }

    func text(_ sql: SQL) async throws -> String {
        try #require(try await world.postgres.query(sql).first?.decode(String.self))
    }

    func number(_ sql: SQL) async throws -> Int {
        try #require(try await world.postgres.query(sql).first?.decode(Int.self))
    }

    /// Every call is booked, and nothing stays reserved.
    func checkMoney() async throws {
        let wrong = try await number(
            """
            SELECT count(*) FROM runs r WHERE reserved_nanos <> 0
              OR spent_nanos <> (SELECT coalesce(sum(cost_nanos), 0) FROM llm_calls WHERE run_id = r.id)
            """
        )
        #expect(wrong == 0)
    }

    // MARK: The worker

    func claim(kind: JobKind? = nil) async throws -> [ClaimedJob] {
        let due = try await world.postgres.query(
            """
            SELECT id FROM jobs WHERE queue = 'crew' AND state = 'queued' AND run_at <= clock_timestamp()
              AND (\(kind?.rawValue)::text IS NULL OR kind = \(kind?.rawValue)) ORDER BY id
            """
        ).map { try $0.decode(Int.self) }
        guard !due.isEmpty else { return [] }
        let jobs = try Ledger.claimed(try await world.postgres.query(Ledger.claim(due, session: session)))
        return jobs.sorted { $0.id < $1.id }
    }

    /// Runs what is due, all at once or one after the other, and settles it.
    func work(kind: JobKind? = nil, oneByOne: Bool = false) async throws {
        let jobs = try await claim(kind: kind)
        guard !oneByOne else {
            for job in jobs { try await run(job) }
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for job in jobs { group.addTask { try await run(job) } }
            try await group.waitForAll()
        }
    }

    /// - Parameter handOver: what its predecessor brought, and whether it may go on with its follow-up.
    func run(_ job: ClaimedJob, handOver: HandOver = .none) async throws {
        let kind = try #require(JobKind(rawValue: job.kind)).job
        let services = JobServices(stores: world.stores, models: models)
        let context = JobContext(
            job: job,
            queue: queue,
            services: services,
            logger: world.logger,
            handOver: handOver
        )
        let ending: Verdict.Ending
        do {
            ending = .returned(try await kind.decode(job.payload).run(context))
        } catch  where error is Fenced || error is Moot {
            return
        } catch {
            ending = .threw(error)
        }
        let settlement = Verdict.settlement(of: ending, job: job, retry: kind.policy.retry, jitter: 0)
        guard let settlement else { return }
        let settled = SettledJob(id: job.id, attempt: job.attempt, settlement: settlement)
        _ = try await world.postgres.query(Ledger.settle([settled]))
    }

    /// Works until the run has ended; waits are kept to.
    func finish(_ run: Run.ID) async throws {
        try await eventually(within: .seconds(30), "the run to end") {
            try await work()
            return try await status(run) != "running"
        }
    }

    /// All waits of jobs are over, and so are the pauses of providers.
    func passTime() async throws {
        _ = try await world.postgres.pipeline([
            "UPDATE provider_marks SET until = clock_timestamp() - interval '1 second', probe_until = NULL",
            "UPDATE jobs SET run_at = clock_timestamp() WHERE state = 'queued'",
        ])
    }

    /// The same for jobs alone.
    func passWaits() async throws {
        _ = try await world.postgres.query("UPDATE jobs SET run_at = clock_timestamp() WHERE state = 'queued'")
    }
}

/// A model that answers by script and remembers what it was asked.
final class ScriptedModel: LanguageModel {
    typealias Answer = @Sendable (ModelRequest, Int) throws(ModelFault) -> ModelReply

    let id: String
    private let answer: Answer
    private let asked = Mutex<[(request: ModelRequest, at: ContinuousClock.Instant)]>([])

    /// - Parameter answer: gets the request and its number, from 1.
    init(_ id: String = "openai", _ answer: @escaping Answer) {
        self.id = id
        self.answer = answer
    }

    var requests: [ModelRequest] { asked.withLock { $0.map(\.request) } }
    var moments: [ContinuousClock.Instant] { asked.withLock { $0.map(\.at) } }

    func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        let number = asked.withLock { asked in
            asked.append((request, .now))
            return asked.count
        }
        let reply = try answer(request, number)
        onText(reply.text)
        return reply
    }

    static func reply(_ text: String, to request: ModelRequest, output: Int = 100) -> ModelReply {
        ModelReply(
            text: text,
            finish: .stop,
            usage: ModelUsage(uncachedInput: 100, output: output),
            model: request.model
        )
    }
}
