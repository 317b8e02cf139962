package import PostgresClient

/// Schedules and the ledger of their ticks, in Postgres. Every moment is judged by Postgres' clock.
package struct ScheduleStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Adds a schedule, or replaces the one of this name; the next tick is the first one after now.
    package func put(_ schedule: Schedule) async throws {
        let now = try await now()
        let (job, next) = (schedule.job, schedule.cron.next(after: now, in: schedule.zone))
        _ = try await postgres.query(
            """
            INSERT INTO schedules (name, kind, queue, tenant, priority, max_attempts, payload, cron, timezone, missed,
                                   missed_limit, next_tick)
            VALUES (\(schedule.name), \(job.kind), \(job.queue), \(job.tenant), \(job.priority)::smallint,
                    \(job.maxAttempts), \(job.payload)::jsonb, \(schedule.cron.description), \(schedule.zone.name),
                    \(schedule.missed), \(schedule.missedLimit), to_timestamp(\(next)::float8))
            ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, queue = excluded.queue, tenant = excluded.tenant,
              priority = excluded.priority, max_attempts = excluded.max_attempts, payload = excluded.payload,
              cron = excluded.cron, timezone = excluded.timezone, missed = excluded.missed,
              missed_limit = excluded.missed_limit, next_tick = excluded.next_tick, updated_at = clock_timestamp()
            """
        )
    }

    /// Removes a schedule and its ticks; jobs that it has enqueued stay.
    ///
    /// - Returns: whether there was one.
    package func remove(_ name: String) async throws -> Bool {
        try await postgres.query("DELETE FROM schedules WHERE name = \(name)").affected == 1
    }

    /// Lets a schedule tick, or rest. Ticks of its rest are not made up for.
    ///
    /// - Returns: whether there is one of this name.
    /// - Throws: ``CronError`` or ``ZoneError`` where its row cannot be read any more.
    package func setEnabled(_ name: String, _ enabled: Bool) async throws -> Bool {
        let found = try await postgres.query("SELECT cron, timezone FROM schedules WHERE name = \(name)")
        guard let row = found.first else { return false }
        let (cron, zone) = try row.decode(String.self, String.self)
        let next = try CronExpression(cron).next(after: await now(), in: ZoneRules(zone))
        let changed = try await postgres.query(
            """
            UPDATE schedules SET enabled = \(enabled)::boolean, updated_at = clock_timestamp(),
              next_tick = CASE WHEN enabled THEN next_tick ELSE to_timestamp(\(next)::float8) END
            WHERE name = \(name)
            """
        )
        return changed.affected == 1
    }

    /// All schedules by name, with their last tick.
    package func list() async throws -> [ScheduleView] {
        try await postgres.query(
            """
            SELECT name, kind, cron, timezone, missed, enabled, \(clause: Self.time("next_tick")),
                   \(clause: Self.time("t.last")), coalesce(t.count, 0)
            FROM schedules LEFT JOIN (SELECT schedule, max(tick) AS last, count(*) FROM schedule_ticks GROUP BY 1) t
              ON t.schedule = name
            ORDER BY name
            """
        ).map { row in
            let (name, kind, cron, timezone, missed, enabled, next, last, ticks) = try row.decode(
                String.self,
                String.self,
                String.self,
                String.self,
                String.self,
                Bool.self,
                String?.self,
                String?.self,
                Int.self
            )
            return ScheduleView(
                name: name,
                kind: kind,
                cron: cron,
                timezone: timezone,
                missed: missed,
                isEnabled: enabled,
                nextTick: next,
                lastTick: last,
                ticks: ticks
            )
        }
    }

    /// The newest ticks of a schedule, newest first, with what became of their jobs.
    ///
    /// - Parameter limit: 1 to 1,000.
    package func ticks(of name: String, limit: Int) async throws -> [TickView] {
        try await postgres.query(
            """
            SELECT \(clause: Self.time("tick")), \(clause: Self.time("fired_at")), job, jobs.state
            FROM schedule_ticks LEFT JOIN jobs ON jobs.id = job
            WHERE schedule = \(name) ORDER BY tick DESC LIMIT \(limit)
            """
        ).map { row in
            let (tick, firedAt, job, state) = try row.decode(String.self, String.self, Int.self, String?.self)
            return TickView(tick: tick, firedAt: firedAt, job: job, state: state)
        }
    }

    private static func time(_ column: String) -> SQL {
        SQL(trusted: "to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    }

    // MARK: Ticking

    func now() async throws(PostgresError) -> Int {
        let result = try await postgres.query("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint")
        guard let row = result.first else { throw PostgresError(.unexpectedResult, "no clock") }
        return try row.decode(Int.self)
    }

    /// A page of schedules that are due, with the moment at which this was asked.
    func due(limit: Int) async throws(PostgresError) -> [DueSchedule] {
        try await postgres.query(
            """
            SELECT name, cron, timezone, missed, missed_limit, extract(epoch FROM next_tick)::bigint,
                   floor(extract(epoch FROM clock_timestamp()))::bigint
            FROM schedules WHERE enabled AND next_tick <= clock_timestamp() ORDER BY next_tick LIMIT \(limit)
            """
        ).map { row throws(PostgresError) in
            let (name, cron, timezone, missed, limit, tick, now) = try row.decode(
                String.self,
                String.self,
                String.self,
                MissedTicks.self,
                Int.self,
                Int.self,
                Int.self
            )
            return DueSchedule(
                name: name,
                cron: cron,
                timezone: timezone,
                missed: missed,
                missedLimit: limit,
                tick: tick,
                now: now
            )
        }
    }

    /// Milliseconds until the next tick of all; nil where there is none.
    func wait() async throws(PostgresError) -> Int? {
        let result = try await postgres.query(
            """
            SELECT ceil(extract(epoch FROM min(next_tick) - clock_timestamp()) * 1000)::bigint
            FROM schedules WHERE enabled
            """
        )
        guard let row = result.first else { return nil }
        return try row.decode(Int?.self)
    }

    /// Fires ticks: their rows, their jobs and the schedules' next ticks in one statement. Only who still finds the tick that
    /// it saw can fire, and a tick that is in the ledger is never fired again.
    ///
    /// The rows that it returns are jobs: read them with ``Ledger/hints(_:)``.
    static func fire(_ plans: [(schedule: DueSchedule, ticks: DueTicks)]) -> SQL {
        let ticks = plans.flatMap { plan in plan.ticks.fire.map { (plan.schedule.name, $0) } }
        return """
            WITH moved AS (
              UPDATE schedules s SET next_tick = to_timestamp(v.next::float8)
              FROM unnest(\(plans.map(\.schedule.name))::text[], \(plans.map(\.schedule.tick))::bigint[],
                          \(NullableArray(plans.map(\.ticks.next)))::bigint[]) AS v(name, seen, next)
              WHERE s.name = v.name AND s.enabled AND s.next_tick = to_timestamp(v.seen::float8)
              RETURNING s.*),
            fresh AS (
              INSERT INTO schedule_ticks (schedule, tick, job)
              SELECT m.name, to_timestamp(t.tick::float8), nextval(pg_get_serial_sequence('jobs', 'id'))
              FROM moved m JOIN unnest(\(ticks.map(\.0))::text[], \(ticks.map(\.1))::bigint[]) AS t(name, tick)
                ON t.name = m.name
              ON CONFLICT DO NOTHING RETURNING schedule, tick, job)
            INSERT INTO jobs (id, kind, queue, tenant, priority, payload, max_attempts, run_at) OVERRIDING SYSTEM VALUE
            SELECT f.job, m.kind, m.queue, m.tenant, m.priority, m.payload, m.max_attempts, f.tick
            FROM fresh f JOIN moved m ON m.name = f.schedule ORDER BY f.tick
            \(clause: Ledger.returning)
            """
    }
}

/// A schedule whose tick has come.
struct DueSchedule: Sendable {
    let name: String
    let cron: String
    let timezone: String
    let missed: MissedTicks
    let missedLimit: Int
    /// Seconds since 1970.
    let tick: Int
    let now: Int
}
