package import Domain
package import Logging
package import PostgresClient
package import Queue

/// What a running job may touch. Live in the worker, fakes in a test, absent in the API.
package struct JobContext: Sendable {
    package let job: ClaimedJob
    package let queue: JobQueue
    package let services: JobServices
    package let logger: Logger
    package let handOver: HandOver
    private let progress: ProgressBoard?

    /// - Parameter progress: where reports are collected; without it each is written at once.
    package init(
        job: ClaimedJob,
        queue: JobQueue,
        services: JobServices,
        logger: Logger,
        handOver: HandOver = .none,
        progress: ProgressBoard? = nil
    ) {
        self.job = job
        self.handOver = handOver
        self.queue = queue
        self.services = services
        self.logger = logger
        self.progress = progress
    }

    /// Commits the job's effects: the fence, what `body` writes, and follow-up jobs, all or nothing.
    ///
    /// - Throws: ``Fenced`` where another attempt owns the job; then nothing was written. Return ``Outcome/settled`` after
    ///   success.
    package func settle<Value>(_ body: (QueueTransaction) async throws -> Value) async throws -> Value {
        try await queue.transaction { transaction in
            guard try await transaction.sql.query(fence).first != nil else {
                throw Fenced(job: job.id, attempt: job.attempt)
            }
            return try await body(transaction)
        }
    }

    /// The same in one round trip, for effects whose results decide nothing. A statement refuses by calling `require()`.
    ///
    /// - Parameters:
    ///   - enqueuing: statements that end in ``Ledger/returning`` or ``Ledger/returningFollowUps``: their rows are the
    ///     follow-up jobs.
    ///   - reading: what to read after the commit, in the same trip.
    /// - Returns: the results of the reading.
    @discardableResult
    package func settle(
        writing statements: [SQL],
        enqueuing: [SQL] = [],
        reading: [SQL] = []
    ) async throws -> [PostgresResult] {
        try await refusing {
            let (read, claimed) = try await queue.transaction { transaction in
                // The fence last, so that locks are taken in the order of the house: run, tasks, jobs.
                let all = statements + [requiredFence]
                let read = try await transaction.finish(all, enqueuing: enqueuing, reading: reading)
                return (read, transaction.handedOver)
            }
            handOver.accept(claimed)
            return read
        }
    }

    /// The same where this worker goes on with a follow-up: what that one writes first goes into the same transaction, so
    /// that both pay for one commit. Two trips; the second is the COMMIT.
    ///
    /// - Parameter next: what the follow-up writes first, made of the results of the reading; nil writes nothing. It must not
    ///   wait for anything: the run's row is locked meanwhile.
    /// - Returns: the result of what `next` wrote.
    package func settle(
        writing statements: [SQL],
        enqueuing: [SQL],
        reading: [SQL],
        next: ([PostgresResult], ClaimedJob) -> SQL?
    ) async throws -> PostgresResult? {
        try await refusing {
            let (first, claimed) = try await queue.transaction { transaction in
                let read = try await transaction.write(
                    [Self.brief] + statements + [requiredFence],
                    enqueuing: enqueuing,
                    reading: reading
                )
                let more = transaction.handedOver.first.flatMap { next(read, $0) }
                let first = try await transaction.sql.finish(more.map { [$0] } ?? []).first
                return (first, transaction.handedOver)
            }
            handOver.accept(claimed)
            return first
        }
    }

    /// A worker that is frozen between two trips must not hold its locks for long, and statements of every step are not worth
    /// a plan of their own each time.
    private static let brief: SQL = """
        SELECT set_config('idle_in_transaction_session_timeout', \("5000"), true),
               set_config('plan_cache_mode', 'force_generic_plan', true)
        """

    private func refusing<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.sqlState == Self.refused {
            guard error.message == Self.fenced else { throw Moot(description: error.message) }
            throw Fenced(job: job.id, attempt: job.attempt)
        }
    }

    /// Books money to its end, though this job may be cancelled meanwhile: a stop makes an answer late, and a call that was
    /// booked must be known to whoever settles it.
    @discardableResult
    package func bill(_ statement: SQL) async throws -> PostgresResult {
        let postgres = queue.postgres
        // A task of its own, because a cancellation would leave the statement's outcome unknown.
        return try await Task { try await postgres.query(statement) }.value
    }

    /// The context of a follow-up that this worker goes on with.
    package func following(_ job: ClaimedJob) -> JobContext {
        JobContext(job: job, queue: queue, services: services, logger: logger, handOver: handOver, progress: progress)
    }

    /// Says how far the job is, for people who look. Cheap: the worker writes the newest report of each job once a second.
    ///
    /// - Parameters:
    ///   - progress: 0 to 1.
    ///   - text: at most 2,000 characters.
    package func report(progress done: Double, _ text: String) async throws {
        let report = ProgressReport(job: job.id, attempt: job.attempt, done: done, text: text)
        if let progress { return progress.report(report) }
        _ = try await queue.postgres.query(Ledger.progress([report]))
    }

    /// Adds an answer to a job that settles itself: a statement for ``settle(writing:enqueuing:)`` or its closure.
    ///
    /// - Parameter answer: JSON of at most 64 KiB, for whoever awaits the job's result.
    package func recording(_ answer: JSON) -> SQL {
        "UPDATE jobs SET result = \(answer.text)::jsonb WHERE id = \(job.id) AND attempt = \(job.attempt)"
    }

    private var fence: SQL { services.hooks.fence(job) }

    private var requiredFence: SQL {
        "WITH mine AS (\(clause: fence)) SELECT require(EXISTS (SELECT 1 FROM mine), \(Self.fenced))"
    }

    /// The SQLSTATE that the database's `require()` raises.
    package static let refused = "GC001"
    private static let fenced = "fenced"
}
