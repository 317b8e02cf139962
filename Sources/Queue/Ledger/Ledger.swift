package import PostgresClient

/// The ledger of jobs in Postgres: the truth about every job. Each method is one guarded statement.
package struct Ledger: Sendable {
    package let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// The statement that adds jobs, to be sent in the transaction of their cause.
    ///
    /// A job whose unique key is taken is left out. Read its result with ``hints(_:)``. Only for plain jobs: what has another
    /// uniqueness or waits for others goes through ``insertSpecial(_:)``.
    ///
    /// - Parameter intoClosed: also into closed queues: for what follows from work that was accepted already. Otherwise the
    ///   statement fails where one of the queues is closed, see ``QueueClosed``.
    package static func insert(_ jobs: [NewJob], intoClosed: Bool = true) -> SQL {
        precondition(!jobs.contains(where: \.isSpecial), "a job that is not plain goes through JobQueue.enqueue")
        return """
            INSERT INTO jobs (kind, queue, tenant, priority, payload, max_attempts, unique_key, batch,
                              concurrency_key, per_key, run_at)
            SELECT kind, queue, tenant, priority, payload::jsonb, max_attempts, unique_key, batch, concurrency_key, per_key,
                   clock_timestamp() + delay * interval '1 millisecond'
            FROM unnest(\(jobs.map(\.kind))::text[], \(jobs.map(\.queue))::text[], \(jobs.map(\.tenant))::text[],
                        \(jobs.map(\.priority))::smallint[], \(jobs.map(\.payload))::text[],
                        \(jobs.map(\.maxAttempts))::int[], \(NullableArray(jobs.map(\.uniqueKey)))::text[],
                        \(NullableArray(jobs.map(\.batch)))::bigint[], \(jobs.map(\.delay.milliseconds))::bigint[],
                        \(NullableArray(jobs.map(\.concurrency?.text)))::text[],
                        \(NullableArray(jobs.map(\.concurrency?.limit)))::int[])
                 AS new(kind, queue, tenant, priority, payload, max_attempts, unique_key, batch, delay, concurrency_key,
                        per_key)
            \(clause: intoClosed ? "" : whereOpen(jobs))
            ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running') DO NOTHING
            \(clause: returning)
            """
    }

    /// How a statement that inserts into `jobs` must end, so that ``hints(_:)`` can read it.
    package static let returning: SQL = """
        RETURNING id, queue, tenant, priority, CASE WHEN run_at > clock_timestamp()
                  THEN (extract(epoch FROM run_at) * 1000)::bigint ELSE 0 END AS due, \(clause: place) AS place
        """

    /// What to tell Redis of the rows that such a statement returned.
    package static func hints(_ result: PostgresResult) throws(PostgresError) -> [JobHint] {
        var hints: [JobHint] = []
        hints.reserveCapacity(result.count)
        for row in result { hints.append(try hint(row)) }
        return hints
    }

    static func hint(_ row: Row) throws(PostgresError) -> JobHint {
        let (id, queue, tenant, priority, due, place) = try row.decode(
            Int.self,
            String.self,
            String.self,
            Int.self,
            Int.self,
            String?.self
        )
        return JobHint(
            id: id,
            queue: queue,
            tenant: tenant,
            priority: priority,
            due: due,
            key: place.flatMap(ConcurrencyKey.init(ledger:))
        )
    }
}

extension Duration {
    /// Whole milliseconds, rounded up so that a wait is never cut to nothing.
    package var milliseconds: Int {
        Int(components.seconds) * 1000 + Int((components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
