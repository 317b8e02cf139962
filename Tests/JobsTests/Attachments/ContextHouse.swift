import Crew
import Domain
import Foundation
import Jobs
import LLM
import Logging
import NIOCore
import PostgresClient
import Queue
import Stores
import Synchronization
import TestSupport
import Testing

/// An engagement with files in memory, and a worker for its index: claims and runs jobs as a worker does.
struct ContextHouse: Sendable {
    let world: World
    let tenant: Tenant.ID
    let engagement: Engagement.ID
    let files = MemoryFiles()
    let model: any LanguageModel
    let session: Int

    static func open(
        redisURL: String? = nil,
        model: any LanguageModel = OfflineExtractive()
    ) async throws -> ContextHouse {
        let world = try await World.fresh(queues: QueueName.names, redisURL: redisURL).agreed()
        let tenant = try await world.stores.accounts.createTenant(name: "T", plan: .enterprise).id
        let engagement = Engagement.ID.make()
        _ = try await world.postgres.query(
            """
            INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos)
            VALUES (\(engagement), \(tenant), 'Trailers', 'C', 's', 'We want to cool trailers.', 5000000000)
            """
        )
        return ContextHouse(
            world: world,
            tenant: tenant,
            engagement: engagement,
            model: model,
            session: try await world.session(lease: .seconds(600))
        )
    }

    var store: ContextStore { world.stores.context }

    // MARK: Changes

    /// Adds a file as an upload does: row and mark in one transaction.
    @discardableResult
    func add(_ name: String, _ text: String) async throws -> String {
        let id = CUID.make()
        let bytes = Data(text.utf8)
        files.set("attachments/\(id)", text)
        try await world.queue.transaction { transaction in
            _ = try await transaction.sql.query(
                """
                INSERT INTO attachments (id, tenant_id, engagement_id, filename, mime_type, size_bytes, sha256, storage_key)
                VALUES (\(id), \(tenant), \(engagement), \(name), 'text/plain', \(max(1, bytes.count)),
                        sha256(\(PostgresBytes(Array(bytes)))::bytea), \("attachments/\(id)"))
                """
            )
            try await IndexRequest.mark(engagement, tenant, in: transaction)
        }
        return id
    }

    func remove(_ id: String) async throws {
        try await world.queue.transaction { transaction in
            _ = try await transaction.sql.query("DELETE FROM attachments WHERE id = \(id)")
            try await IndexRequest.mark(engagement, tenant, in: transaction)
        }
    }

    // MARK: The worker

    var services: JobServices {
        let models = Models(
            routing: CrewRouting(prices: PriceTable(), providers: []),
            providers: [model],
            allowSimulation: false
        )
        return JobServices(stores: world.stores, models: models, blobs: files, texts: files)
    }

    func claim(_ queue: String = "index") async throws -> [ClaimedJob] {
        let due = try await world.postgres.query(
            "SELECT id FROM jobs WHERE queue = \(queue) AND state = 'queued' AND run_at <= clock_timestamp()"
        ).map { try $0.decode(Int.self) }
        guard !due.isEmpty else { return [] }
        return try Ledger.claimed(try await world.postgres.query(Ledger.claim(due, session: session)))
    }

    func context(_ job: ClaimedJob) -> JobContext {
        JobContext(job: job, queue: world.queue, services: services, logger: world.logger)
    }

    /// Runs one job and settles what it did not settle itself.
    @discardableResult
    func run(_ job: ClaimedJob) async throws -> Outcome {
        let outcome = try await RebuildContext.decode(job.payload).run(context(job))
        if outcome != .settled {
            _ = try await world.postgres.query(
                "UPDATE jobs SET state = 'done', finished_at = now() WHERE id = \(job.id)"
            )
        }
        return outcome
    }

    /// Works until the index has caught up; returns how many builds that took.
    @discardableResult
    func work() async throws -> Int {
        var builds = 0
        try await eventually(within: .seconds(60), "the index to catch up") {
            for job in try await claim() where try await run(job) == .settled { builds += 1 }
            let state = try await state()
            let open = try await world.count("queue = 'index' AND state IN ('queued','running')")
            return !state.isBuilding && open == 0
        }
        return builds
    }

    static let oneTask: JSON = [
        ["id": "loggers", "title": "What loggers cost", "description": "Say what a logger costs."]
    ]

    /// Starts a run, with one task if nothing else is said.
    func startCrew(_ task: JSON = oneTask) async throws -> Run.ID {
        let run = Run.ID.make()
        _ = try await world.postgres.pipeline([
            "UPDATE engagements SET status = 'running', tasks = \(task)::jsonb WHERE id = \(engagement)",
            """
            INSERT INTO runs (id, tenant_id, engagement_id, budget_nanos)
            VALUES (\(run), \(tenant), \(engagement), 5000000000)
            """,
        ])
        try await world.queue.enqueue(
            StartCrew(run: run),
            tenant: tenant.rawValue,
            uniqueKey: StartCrew.uniqueKey(run)
        )
        return run
    }

    /// Works off the queue of the crew until the run has ended.
    func finish(_ run: Run.ID) async throws {
        try await eventually(within: .seconds(30), "the run to end") {
            for job in try await claim("crew") {
                guard let kind = JobKind(rawValue: job.kind) else { continue }
                let outcome = try await kind.job.decode(job.payload).run(context(job))
                if case .snooze = outcome {
                    _ = try await world.postgres.query(
                        "UPDATE jobs SET state = 'queued', session = NULL, run_at = clock_timestamp() WHERE id = \(job.id)"
                    )
                }
            }
            let result = try await world.postgres.query("SELECT status <> 'running' FROM runs WHERE id = \(run)")
            return try result.first?.decode(Bool.self) ?? false
        }
    }

    /// The first column of all rows, as text.
    func column(_ sql: SQL) async throws -> [String] {
        try await world.postgres.query(sql).map { try $0.decode(String.self) }
    }

    func state() async throws -> ContextState {
        try #require(try await store.state(of: engagement, tenant))
    }

    func search(_ text: String, generation: Int? = nil, limit: Int = 5) async throws -> [ContextHit] {
        let newest = try await state().generation
        return try await store.search(
            ContextQuery(text),
            in: engagement,
            generation: generation ?? newest,
            limit: limit
        )
    }
}

/// Files in memory and their text: lines that begin with `#` are headings, `\u{c}` begins a page.
final class MemoryFiles: BlobStore, TextExtractor {
    private struct State {
        var texts: [String: String] = [:]
        var read: [String] = []
        var obstacle: (@Sendable (String) async throws -> Void)?
    }

    private let state = Mutex(State())

    /// Names of files that were read, in order.
    var read: [String] { state.withLock { $0.read } }

    func set(_ key: String, _ text: String) { state.withLock { $0.texts[key] = text } }

    /// Called with a file's name before it is read.
    func meet(_ obstacle: (@Sendable (String) async throws -> Void)?) { state.withLock { $0.obstacle = obstacle } }

    func text(of path: String, filename: String) async throws -> ExtractedText {
        if let obstacle = state.withLock({ $0.obstacle }) { try await obstacle(filename) }
        state.withLock { $0.read.append(filename) }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard !text.hasPrefix("BROKEN") else { return ExtractedText(status: .broken) }
        var page = text.contains("\u{c}") ? 1 : nil as Int?
        var blocks: [TextBlock] = []
        for part in text.split(separator: "\u{c}") {
            for paragraph in part.components(separatedBy: "\n\n") {
                let kind: TextBlock.Kind =
                    paragraph.hasPrefix("#") ? .heading(1) : paragraph.contains(" | ") ? .table : .paragraph
                let words = paragraph.hasPrefix("#") ? String(paragraph.dropFirst(2)) : paragraph
                blocks.append(TextBlock(kind, words, page: page))
            }
            page = page.map { $0 + 1 }
        }
        return ExtractedText(status: .indexed, blocks: blocks)
    }

    func withFile<Result: Sendable>(
        _ key: String,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        guard let text = state.withLock({ $0.texts[key] }) else { throw BlobError.missing }
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body(file.path)
    }

    func put<Parts: AsyncSequence & Sendable>(_ parts: Parts, as key: String) async throws -> BlobDigest
    where Parts.Element == ByteBuffer {
        throw BlobError.unavailable("this store takes no streams")
    }

    func read(_ key: String, range: Range<Int>?) async throws -> BlobReading { throw BlobError.missing }

    func remove(_ key: String) async throws { state.withLock { $0.texts[key] = nil } }
}
