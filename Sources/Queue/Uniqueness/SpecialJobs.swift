private import FoundationEssentials
import PostgresClient

/// How `enqueue_special()` of the database is told about a job; docs/queue.md names the fields.
struct JobSpecification: Encodable {
    let kind: String
    let queue: String
    let tenant: String
    let priority: Int
    let payload: String
    let max_attempts: Int
    let delay: Int
    let batch: Int?
    var key: String?
    var scope: String?
    var window: Int?
    var conflict: String?
    var after: [Int]?
    var even_if_failed: Bool?
    var concurrency_key: String?
    var per_key: Int?

    init(_ job: NewJob) {
        kind = job.kind
        queue = job.queue
        tenant = job.tenant
        priority = job.priority
        payload = job.payload
        max_attempts = job.maxAttempts
        delay = job.delay.milliseconds
        batch = job.batch
        concurrency_key = job.concurrency?.text
        per_key = job.concurrency?.limit
        if !job.after.isEmpty {
            after = job.after
            even_if_failed = job.evenIfFailed
        }
        guard let unique = job.uniqueness ?? job.uniqueKey.map({ Uniqueness($0) }) else { return }
        key = unique.key
        conflict = unique.onConflict.rawValue
        switch unique.scope {
        case .whileWaiting: scope = "waiting"
        case .untilDone: scope = "done"
        case .window(let length):
            scope = "window"
            window = length.milliseconds
        }
    }

    /// - Throws: `EncodingError`; a specification has nothing that could cause one.
    static func json(_ jobs: [NewJob]) throws -> String {
        String(decoding: try JSONEncoder().encode(jobs.map(JobSpecification.init)), as: UTF8.self)
    }
}

extension Ledger {
    /// Adds jobs by their own rules of uniqueness and order, in one statement. Read its result with ``SpecialResult``.
    static func insertSpecial(_ jobs: [NewJob]) throws -> SQL {
        """
        SELECT e.* FROM jsonb_array_elements(\(try JobSpecification.json(jobs))::jsonb) WITH ORDINALITY AS s(spec, place)
        CROSS JOIN LATERAL enqueue_special(s.spec) e
        \(clause: whereOpen(jobs)) ORDER BY s.place
        """
    }
}

/// What `enqueue_special()` answered for one job.
struct SpecialResult: Sendable {
    let outcome: EnqueueOutcome
    /// Nil where Redis need not be told.
    let hint: JobHint?
    let moved: Bool

    /// - Parameter jobs: those that were asked for, in the same order.
    static func read(_ result: PostgresResult, of jobs: [NewJob]) throws(PostgresError) -> [SpecialResult] {
        try zip(result, jobs).map { row, job throws(PostgresError) in
            let (word, id, queue, tenant, priority, due, moved) = try row.decode(
                String.self,
                Int.self,
                String.self,
                String.self,
                Int.self,
                Int?.self,
                Bool.self
            )
            let hint = due.map {
                JobHint(id: id, queue: queue, tenant: tenant, priority: priority, due: $0, key: job.concurrency)
            }
            return SpecialResult(outcome: try outcome(word, id), hint: hint, moved: moved)
        }
    }

    private static func outcome(_ word: String, _ id: Int) throws(PostgresError) -> EnqueueOutcome {
        switch word {
        case "added": return .added(id)
        case "existing": return .existing(id)
        case "coalesced": return .coalesced(id)
        case "replaced": return .replaced(id)
        default: throw PostgresError(.unexpectedResult, "enqueue_special() answered \"\(word)\"")
        }
    }
}

extension JobQueue {
    /// Adds one job in a transaction of its own, and says what became of it.
    ///
    /// - Throws: as ``QueueTransaction/add(_:)``.
    package func add(_ job: NewJob) async throws -> EnqueueOutcome {
        let outcomes = try await transaction { transaction in try await transaction.add([job]) }
        guard let outcome = outcomes.first else { throw PostgresError(.unexpectedResult, "no job was answered for") }
        return outcome
    }
}
