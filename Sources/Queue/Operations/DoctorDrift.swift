private import PostgresClient
private import RedisClient

/// Ledger against Redis, both ways. Either may be ahead for a moment, so only what stays is drift.
extension Doctor {
    /// Ids looked at per queue and direction.
    private static let sample = 20_000

    func drift() async throws -> [Finding] {
        var unknown: [String: Set<Int>] = [:]
        var ghosts: [String: Set<Int>] = [:]
        var strays: [String: Set<Int>] = [:]
        for name in queue.dispatch.queues {
            unknown[name] = try await unknownToRedis(name, try await settled(name))
            ghosts[name] = try await unknownToLedger(try await known(queue.dispatch.keys.records(name)))
            strays[name] = try await strayPlaces(name)
        }
        let askModes = try await modesDiffer()
        if unknown.values.contains(where: { !$0.isEmpty }) || ghosts.values.contains(where: { !$0.isEmpty })
            || strays.values.contains(where: { !$0.isEmpty }) || !askModes.isEmpty
        {
            try await Task.sleep(for: patience)
            for name in queue.dispatch.queues {
                unknown[name] = try await unknownToRedis(name, try await waiting(among: unknown[name] ?? []))
                let still = try await held(name, among: ghosts[name] ?? [])
                ghosts[name] = try await unknownToLedger(still)
                strays[name]?.formIntersection(try await strayPlaces(name))
            }
        }
        let modes = askModes.isEmpty ? [] : try await modesDiffer()
        let findings =
            Self.findings(unknown.filter { !$0.value.isEmpty }, ghosts.filter { !$0.value.isEmpty }, modes)
            + Self.findings(strays: strays.filter { !$0.value.isEmpty })
        return findings.isEmpty ? [.ok("drift", "ledger and Redis agree on what waits")] : findings
    }

    private static func findings(
        _ unknown: [String: Set<Int>],
        _ ghosts: [String: Set<Int>],
        _ modes: [String]
    ) -> [Finding] {
        var findings = unknown.sorted { $0.key < $1.key }.map { name, ids in
            Finding.bad(
                "drift.unknown",
                "Redis does not know \(ids.count) waiting jobs of \(name): \(list(ids))",
                why: "no worker is told of them",
                remedy: "The active scheduler's sweep brings them within seconds: see that one runs."
            )
        }
        findings += ghosts.sorted { $0.key < $1.key }.map { name, ids in
            Finding.warn(
                "drift.ghosts",
                "Redis still holds \(ids.count) ids of \(name) whose jobs have ended: \(list(ids))",
                why: "harmless while they wait (they are skipped); held by a session they use up a tenant's cap",
                remedy: "If they stay, force a rebuild: docs/operations.md, \"Redis was wiped\"."
            )
        }
        findings += modes.map { name in
            Finding.bad(
                "drift.mode",
                "Redis and the ledger differ on whether \(name) is paused",
                why: "workers follow Redis",
                remedy: "The active scheduler tells it every second: see that one runs."
            )
        }
        return findings
    }

    // MARK: In the ledger, not in Redis

    /// Jobs that wait for longer than the sweep needs to get round: a page of 2,000 a second, and some seconds of grace.
    private func settled(_ name: String) async throws -> Set<Int> {
        try await ids(
            """
            SELECT id FROM jobs WHERE queue = \(name) AND state = 'queued' AND created_at < clock_timestamp()
              - interval '5 seconds' - interval '1 second' * (
                SELECT count(*) / 2000 FROM jobs WHERE queue = \(name) AND state = 'queued')
            ORDER BY priority, run_at, id LIMIT \(Self.sample)
            """
        )
    }

    private func waiting(among ids: Set<Int>) async throws -> Set<Int> {
        guard !ids.isEmpty else { return [] }
        return try await self.ids("SELECT id FROM jobs WHERE id = ANY (\(Array(ids))::bigint[]) AND state = 'queued'")
    }

    private func unknownToRedis(_ name: String, _ ids: Set<Int>) async throws -> Set<Int> {
        ids.subtracting(try await held(name, among: ids))
    }

    private func held(_ name: String, among ids: Set<Int>) async throws -> Set<Int> {
        let (redis, key, ids) = (queue.dispatch.redis, queue.dispatch.keys.records(name), Array(ids))
        var held: Set<Int> = []
        for from in stride(from: 0, to: ids.count, by: 1000) {
            let page = ids[from..<min(from + 1000, ids.count)]
            let records = try await redis.send(["HMGET", key] + page.map(String.init)).array ?? []
            for (id, record) in zip(page, records) where !record.isNull { held.insert(id) }
        }
        return held
    }

    // MARK: In Redis, not in the ledger

    private func known(_ key: String) async throws -> Set<Int> {
        let redis = queue.dispatch.redis
        var known: Set<Int> = []
        var cursor = "0"
        repeat {
            let page = try await redis.send(["HSCAN", key, cursor, "COUNT", "1000"]).array ?? []
            guard page.count == 2, let next = page[0].string else { break }
            let fields = page[1].array ?? []
            for index in stride(from: 0, to: fields.count, by: 2) {
                if let id = fields[index].integer { known.insert(id) }
            }
            cursor = next
        } while cursor != "0" && known.count < Self.sample
        return known
    }

    private func unknownToLedger(_ known: Set<Int>) async throws -> Set<Int> {
        guard !known.isEmpty else { return [] }
        return try await ids(
            """
            SELECT k.id FROM unnest(\(Array(known))::bigint[]) AS k(id) WHERE NOT EXISTS (
              SELECT 1 FROM jobs j WHERE j.id = k.id AND j.state IN ('queued','running'))
            """
        )
    }

    private func ids(_ statement: SQL) async throws -> Set<Int> {
        Set(try await queue.postgres.query(statement, timeout: .seconds(60)).map { row in try row.decode(Int.self) })
    }

    // MARK: Places of concurrency keys

    /// Ids that have a place of their key and are not known to Redis any more: nobody would give it back.
    private func strayPlaces(_ name: String) async throws -> Set<Int> {
        let holders = try await known(queue.dispatch.keys.places(name))
        return holders.subtracting(try await held(name, among: holders))
    }

    private static func findings(strays: [String: Set<Int>]) -> [Finding] {
        strays.sorted { $0.key < $1.key }.map { name, ids in
            Finding.bad(
                "drift.places",
                "\(ids.count) places of concurrency keys of \(name) belong to no job: \(list(ids))",
                why: "fewer jobs of those keys run than may",
                remedy: "The active scheduler gives them back every ten seconds: see that one runs."
            )
        }
    }

    // MARK: Modes

    private func modesDiffer() async throws -> [String] {
        let dispatch = queue.dispatch
        let paused = Set(try await queue.ledger.queueSettings().filter { $0.mode == .paused }.map(\.queue))
        let told = await dispatch.redis.pipeline(
            dispatch.queues.map { ["HGET", dispatch.keys.meta($0), "paused"] },
            timeout: nil
        )
        return try zip(dispatch.queues, told).filter { name, told in
            (try told.get().string == "1") != paused.contains(name)
        }.map(\.0)
    }
}
