import PostgresClient

/// An operator's page of jobs: each is one guarded statement, in the order of ids.
extension Ledger {
    /// What the page is cut from: rows after `id`, locked, so that nobody settles or claims them meanwhile.
    private static func page(_ filter: JobFilter, of action: BulkAction, after id: Int, size: Int) -> SQL {
        """
        SELECT id, queue, state, session, unique_key FROM jobs
        WHERE id > \(id) AND state = ANY (\(action.states)::text[]) AND \(clause: filter.condition)
        ORDER BY id LIMIT \(size) FOR UPDATE
        """
    }

    /// Counts without touching: the dry run.
    static func count(_ filter: JobFilter, for action: BulkAction) -> SQL {
        let bound: SQL = filter.limit.map { "ORDER BY id LIMIT \($0)" } ?? ""
        return """
            SELECT queue, kind, state, count(*) FROM (
              SELECT queue, kind, state FROM jobs
              WHERE state = ANY (\(action.states)::text[]) AND \(clause: filter.condition) \(clause: bound)) matched
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """
    }

    /// - Parameters:
    ///   - first: how many of the whole bulk come before this page.
    ///   - rate: so many come due a second; nil is all at once.
    /// - Returns: rows of id, conflict, and what Redis needs to know (nil where there is a conflict).
    static func retry(_ filter: JobFilter, after id: Int, size: Int, first: Int, perSecond rate: Double?) -> SQL {
        let gap = rate.map { 1000 / $0 } ?? 0
        return """
            WITH page AS MATERIALIZED (\(clause: page(filter, of: .retry(perSecond: nil), after: id, size: size))),
            ranked AS (
              SELECT id, row_number() OVER (ORDER BY id) + \(first) - 1 AS place, unique_key IS NOT NULL AND (
                       row_number() OVER (PARTITION BY unique_key ORDER BY id) > 1
                       OR EXISTS (SELECT 1 FROM jobs o WHERE o.unique_key = page.unique_key
                                  AND o.state IN ('queued','running'))) AS conflict
              FROM page),
            changed AS (
              UPDATE jobs j SET state = 'queued', failures = 0, losses = 0, dead_reason = NULL, finished_at = NULL,
                cancel_requested = false,
                run_at = clock_timestamp() + r.place * \(gap)::float8 * interval '1 millisecond'
              FROM ranked r WHERE j.id = r.id AND j.state = 'dead' AND NOT r.conflict
              RETURNING j.id, j.queue, j.tenant, j.priority, CASE WHEN j.run_at > clock_timestamp()
                        THEN (extract(epoch FROM j.run_at) * 1000)::bigint ELSE 0 END AS due, \(clause: place) AS place)
            SELECT r.id, r.conflict, c.queue, c.tenant, c.priority, c.due, c.place
            FROM ranked r LEFT JOIN changed c ON c.id = r.id ORDER BY r.id
            """
    }

    /// - Returns: rows of id, queue, the state it had, session.
    static func drop(_ filter: JobFilter, after id: Int, size: Int, reason: String) -> SQL {
        """
        WITH page AS MATERIALIZED (\(clause: page(filter, of: .drop, after: id, size: size))),
        deleted AS (
          DELETE FROM jobs j USING page p WHERE j.id = p.id AND p.state = 'dead' AND j.state = 'dead' RETURNING j.id),
        cancelled AS (
          UPDATE jobs j SET state = 'cancelled', finished_at = clock_timestamp(), error = \(reason)
          FROM page p WHERE j.id = p.id AND p.state = 'queued' AND j.state = 'queued' RETURNING j.id)
        SELECT id, queue, state, session FROM page ORDER BY id
        """
    }

    /// - Returns: rows of id, queue, the state it had, session.
    static func cancel(_ filter: JobFilter, after id: Int, size: Int, reason: String) -> SQL {
        """
        WITH page AS MATERIALIZED (\(clause: page(filter, of: .cancel, after: id, size: size))),
        cancelled AS (
          UPDATE jobs j SET state = 'cancelled', finished_at = clock_timestamp(), error = \(reason)
          FROM page p WHERE j.id = p.id AND p.state = 'queued' AND j.state = 'queued' RETURNING j.id),
        asked AS (
          UPDATE jobs j SET cancel_requested = true
          FROM page p WHERE j.id = p.id AND p.state = 'running' AND j.state = 'running' RETURNING j.id)
        SELECT id, queue, state, session FROM page ORDER BY id
        """
    }
}
