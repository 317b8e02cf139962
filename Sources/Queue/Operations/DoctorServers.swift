private import PostgresClient
private import RedisClient

/// The two servers: settings that lose data, memory, clocks.
extension Doctor {
    func postgres() async throws -> [Finding] {
        let names = ["fsync", "synchronous_commit", "full_page_writes"]
        let values = try await queue.postgres.query(
            "SELECT name, current_setting(name) FROM unnest(\(names)::text[]) AS n(name)"
        )
        let off = try values.map { row in try row.decode(String.self, String.self) }.filter { $0.1 == "off" }.map(\.0)
        guard !off.isEmpty else { return [.ok("postgres.durability", "Postgres keeps what it has committed")] }
        return [
            .bad(
                "postgres.durability",
                "Postgres runs with \(off.joined(separator: ", ")) off",
                why: "an accepted job may be gone after a crash of its machine",
                remedy: "Switch it on in postgresql.conf and reload (full_page_writes, fsync) or ALTER SYSTEM."
            )
        ]
    }

    func schema() async throws -> [Finding] {
        let result = try await queue.postgres.query(
            """
            SELECT k.name, s.name IS NULL, coalesce(s.checksum = encode(sha256(convert_to(k.body, 'UTF8')), 'hex'), true)
            FROM unnest(\(migrations.map(\.name))::text[], \(migrations.map(\.sql))::text[]) AS k(name, body)
            LEFT JOIN schema_migrations s ON s.name = k.name
            """
        )
        let rows = try result.map { row in try row.decode(String.self, Bool.self, Bool.self) }
        let pending = rows.filter(\.1).map(\.0)
        let changed = rows.filter { !$0.2 }.map(\.0)
        if !changed.isEmpty {
            return [
                .bad(
                    "schema",
                    "the database has another version of \(changed.joined(separator: ", "))",
                    why: "this program and the database do not belong together",
                    remedy: "Run the release whose migrations were applied."
                )
            ]
        }
        guard !pending.isEmpty else { return [.ok("schema", "the schema is up to date")] }
        return [
            .bad(
                "schema",
                "migrations are pending: \(pending.joined(separator: ", "))",
                why: "new processes need tables that are not there yet",
                remedy: "Run `groundcrew migrate`."
            )
        ]
    }

    func redis() async throws -> [Finding] {
        let info: RedisInfo
        do {
            info = RedisInfo(try await queue.dispatch.redis.send(["INFO"], timeout: .seconds(3)).string ?? "")
        } catch {
            return [
                .bad(
                    "redis.reach",
                    "Redis does not answer: \(error.description)",
                    why: "workers ask Postgres instead: no fairness, no caps, no quick wake-up",
                    remedy: "Start it, or mend REDIS_URL. Nothing is lost; it is refilled from Postgres."
                )
            ]
        }
        return info.findings + (try await clock()) + (try await generation(info))
    }

    /// Delayed jobs are judged by both clocks.
    private func clock() async throws -> [Finding] {
        let start = ContinuousClock.now
        let result = try await queue.postgres.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        let postgres = try result.first?.decode(Int.self) ?? 0
        guard let time = try? await queue.dispatch.redis.send(["TIME"]).array, time.count == 2,
            let seconds = time[0].integer, let micros = time[1].integer
        else { return [] }
        let between = start.duration(to: .now).milliseconds
        let apart = max(0, abs(seconds * 1000 + micros / 1000 - postgres) - between)
        guard apart > 1000 else {
            return [.ok("clock", "the clocks of Postgres and Redis are less than 1 s apart")]
        }
        let what = "the clocks of Postgres and Redis are \(Self.seconds(Double(apart) / 1000)) apart"
        let why = "delayed jobs and retries come too early or too late by as much"
        let remedy = "Let NTP run on both machines."
        return [
            apart > 5000
                ? .bad("clock", what, why: why, remedy: remedy) : .warn("clock", what, why: why, remedy: remedy)
        ]
    }

    /// Whether Redis is the one that the ledger knows. A rebuild takes its time, so there is a second look.
    private func generation(_ info: RedisInfo) async throws -> [Finding] {
        if try await isAgreed(info["run_id"]) { return [.ok("redis.generation", "Redis is the one the ledger knows")] }
        try await Task.sleep(for: patience)
        if try await isAgreed(info["run_id"]) { return [.ok("redis.generation", "Redis has just been rebuilt")] }
        return [
            .bad(
                "redis.generation",
                "Redis holds hints of another generation, or is another server than the ledger knows",
                why: "nothing is dispatched through it; workers ask Postgres instead",
                remedy: "A scheduler or worker rebuilds it within seconds: see that one runs, and look at its log."
            )
        ]
    }

    private func isAgreed(_ runID: String?) async throws -> Bool {
        let state = try await queue.ledger.queueState()
        guard state.redisRunID == runID else { return false }
        let dispatch = queue.dispatch
        let heads = await dispatch.redis.pipeline(
            dispatch.queues.map { ["HGET", dispatch.keys.meta($0), "gen"] },
            timeout: nil
        )
        return heads.allSatisfy { (try? $0.get())?.integer == state.generation }
    }
}

/// The answer to INFO (https://redis.io/docs/latest/commands/info/), by name.
struct RedisInfo: Sendable {
    private let values: [String: String]

    init(_ text: String) {
        let pairs = text.split(whereSeparator: \.isNewline).compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        values = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    subscript(_ name: String) -> String? { values[name] }

    private func number(_ name: String) -> Int { values[name].flatMap { Int($0) } ?? 0 }

    var findings: [Finding] { [policy, memory, evictions, persistence] }

    /// Of `maxmemory`, 0 to 1 and more; nil without one.
    var share: Double? {
        let most = number("maxmemory")
        return most > 0 ? Double(number("used_memory")) / Double(most) : nil
    }

    private var policy: Finding {
        let policy = self["maxmemory_policy"] ?? "noeviction"
        guard policy != "noeviction" else { return .ok("redis.policy", "Redis evicts nothing") }
        return .bad(
            "redis.policy",
            "maxmemory-policy is \(policy)",
            why: "hints vanish when memory is short; jobs wait for the sweep, and caps are wrong",
            remedy: "CONFIG SET maxmemory-policy noeviction, and in redis.conf."
        )
    }

    private var memory: Finding {
        let (used, most) = (number("used_memory"), number("maxmemory"))
        guard most > 0, used * 10 > most * 8 else {
            return .ok("redis.memory", "Redis uses \(used >> 20) MiB\(most > 0 ? " of \(most >> 20) MiB" : "")")
        }
        let what = "Redis uses \(used * 100 / most) % of its maxmemory"
        let isFull = used * 100 > most * 90
        let why =
            isFull
            ? "it is told of no more jobs: workers take them from Postgres, without fairness and caps"
            : "above 90 % it is told of no more jobs, and workers take them from Postgres"
        let remedy = "Raise maxmemory, or find out what else lives on this server."
        return isFull
            ? .bad("redis.memory", what, why: why, remedy: remedy)
            : .warn("redis.memory", what, why: why, remedy: remedy)
    }

    private var evictions: Finding {
        let evicted = number("evicted_keys")
        guard evicted > 0 else { return .ok("redis.evicted", "no key was ever evicted") }
        return .bad(
            "redis.evicted",
            "Redis has evicted \(evicted) keys since it was started",
            why: "hints may be among them",
            remedy: "Set noeviction, then force a rebuild: docs/operations.md, \"Redis was wiped\"."
        )
    }

    private var persistence: Finding {
        let aof = self["aof_enabled"] == "1"
        let failed = self["rdb_last_bgsave_status"] == "err" || self["aof_last_write_status"] == "err"
        guard failed else {
            return .ok("redis.persistence", "AOF is \(aof ? "on" : "off"); a lost Redis is refilled from Postgres")
        }
        return .warn(
            "redis.persistence",
            "Redis failed to save itself to disk",
            why: "by default it refuses writes then, and workers fall back to Postgres",
            remedy: "Free its disk, or switch persistence off (`save \"\"`): Groundcrew does not need it."
        )
    }
}
