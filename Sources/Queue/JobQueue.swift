package import PostgresClient

/// The queue as producers see it: jobs are accepted by a Postgres commit, and Redis is told afterwards.
package struct JobQueue: Sendable {
    package let ledger: Ledger
    package let dispatch: Dispatch
    /// Whether a caller's request may add work; ``enqueue(_:)`` itself refuses nothing for it.
    package let backpressure: Backpressure
    /// What calls to the outside take from, over the whole fleet.
    package var rates: RateBuckets

    /// - Parameter caps: how much may wait where no limit is set.
    package init(ledger: Ledger, dispatch: Dispatch, caps: WaitingCaps = WaitingCaps()) {
        self.ledger = ledger
        self.dispatch = dispatch
        backpressure = Backpressure(ledger, dispatch, caps: caps)
        rates = RateBuckets(ledger, dispatch)
    }

    package var postgres: Postgres { ledger.postgres }

    /// Adds jobs in a transaction of their own.
    ///
    /// - Returns: the ids of those that were added; a job whose unique key is taken is left out.
    /// - Throws: ``QueueClosed`` where an operator closed one of the queues; ``EnqueueError`` where a key is too long. Then none
    ///   was added.
    @discardableResult
    package func enqueue(_ jobs: [NewJob]) async throws -> [Int] {
        guard !jobs.isEmpty else { return [] }
        for job in jobs { try job.concurrency?.check(job.kind) }
        guard !jobs.contains(where: \.isSpecial) else { return try await transaction { try await $0.enqueue(jobs) } }
        let hints = try await QueueClosed.named {
            try Ledger.hints(await postgres.query(Ledger.insert(jobs, intoClosed: false)))
        }
        await tell(hints)
        return hints.map(\.id)
    }

    /// Runs `body` in a transaction that can enqueue: the jobs exist if, and only if, it commits. Redis is told after that.
    ///
    /// Tried again, up to four times in all, when Postgres chose it as a victim of a deadlock.
    /// - Throws: what `body` throws; ``QueueClosed`` where it enqueued into a closed queue.
    package func transaction<Value>(_ body: (QueueTransaction) async throws -> Value) async throws -> Value {
        let (value, hints, moves) = try await QueueClosed.named {
            try await postgres.retryingTransaction { sql in
                let transaction = QueueTransaction(sql)
                let value = try await body(transaction)
                return (value, transaction.hints, transaction.moves)
            }
        }
        await tell(hints, moves)
        return value
    }

    /// Once the rows are committed: at once, or at the end of a transaction that encloses ours.
    private func tell(_ hints: [JobHint], _ moves: [JobHint] = []) async {
        await postgres.afterCommit {
            await dispatch.push(hints)
            await dispatch.move(moves)
        }
    }
}

/// A transaction that can enqueue jobs. Not for use by two tasks at once.
package final class QueueTransaction {
    /// For statements of any other kind.
    package let sql: PostgresTransaction
    private(set) var hints: [JobHint] = []
    /// Follow-up jobs that were inserted as already running under this worker's session.
    package private(set) var handedOver: [ClaimedJob] = []
    /// Waiting jobs that were given another moment.
    private(set) var moves: [JobHint] = []

    init(_ sql: PostgresTransaction) {
        self.sql = sql
    }

    /// Adds jobs to the transaction.
    ///
    /// - Returns: the ids of those that were added.
    @discardableResult
    package func enqueue(_ jobs: [NewJob]) async throws -> [Int] {
        for job in jobs { try job.concurrency?.check(job.kind) }
        let plain = jobs.filter { !$0.isSpecial }
        let added =
            plain.isEmpty ? [] : try Ledger.hints(await sql.query(Ledger.insert(plain, intoClosed: false)))
        hints += added
        let special = jobs.filter(\.isSpecial)
        guard !special.isEmpty else { return added.map(\.id) }
        return added.map(\.id) + (try await add(special)).compactMap { $0.wasAdded ? $0.id : nil }
    }

    /// Adds jobs by their own rules of uniqueness, in order, and says what became of each.
    ///
    /// - Throws: ``EnqueueError`` where a job's rules contradict each other; what Postgres says, `GC001` among it where a job
    ///   in `after` does not exist.
    package func add(_ jobs: [NewJob]) async throws -> [EnqueueOutcome] {
        guard !jobs.isEmpty else { return [] }
        for job in jobs { try job.check() }
        let results = try SpecialResult.read(await sql.query(Ledger.insertSpecial(jobs)), of: jobs)
        for result in results {
            guard let hint = result.hint else { continue }
            if result.moved { moves.append(hint) } else { hints.append(hint) }
        }
        return results.map(\.outcome)
    }

    /// Sends the last statements and COMMIT in one round trip. Their results decide nothing.
    ///
    /// - Parameter enqueuing: statements that end in ``Ledger/returning`` or ``Ledger/returningFollowUps``: their rows are
    ///   jobs, and Redis is told of those that wait.
    /// - Parameter reading: what to read after the commit, in the same trip.
    /// - Returns: the results of the reading.
    @discardableResult
    package func finish(
        _ statements: [SQL],
        enqueuing: [SQL] = [],
        reading: [SQL] = []
    ) async throws(PostgresError) -> [PostgresResult] {
        let results = try await sql.finish(statements + enqueuing, reading: reading)
        try follow(results[statements.count..<statements.count + enqueuing.count])
        return Array(results.suffix(reading.count))
    }

    /// The same without the COMMIT, where what is read decides what is written last.
    package func write(
        _ statements: [SQL],
        enqueuing: [SQL],
        reading: [SQL]
    ) async throws(PostgresError) -> [PostgresResult] {
        let results = try await sql.pipeline(statements + enqueuing + reading)
        try follow(results[statements.count..<statements.count + enqueuing.count])
        return Array(results.suffix(reading.count))
    }

    private func follow(_ inserted: ArraySlice<PostgresResult>) throws(PostgresError) {
        for result in inserted {
            let jobs = try Ledger.followUps(result)
            hints += jobs.waiting
            handedOver += jobs.claimed
        }
    }
}
