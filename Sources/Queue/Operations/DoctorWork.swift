import PostgresClient

/// The jobs: stuck ones, old ones, dead ones.
extension Doctor {
    /// The reaper gives such jobs back within a second, so only those that stay are stuck.
    func stuck() async throws -> [Finding] {
        var orphans = try await orphans()
        if !orphans.isEmpty {
            try await Task.sleep(for: patience)
            orphans.formIntersection(try await self.orphans())
        }
        guard !orphans.isEmpty else {
            return [.ok("stuck", "every running job has a live session")]
        }
        return [
            .bad(
                "stuck",
                "\(orphans.count) running jobs have no live session: \(Self.list(orphans))",
                why: "nobody works on them, and nobody gives them back",
                remedy: "See that a scheduler is active; a session that is missing altogether was deleted by hand."
            )
        ]
    }

    private func orphans() async throws -> Set<Int> {
        let result = try await queue.postgres.query(
            """
            SELECT j.id FROM jobs j LEFT JOIN worker_sessions s ON s.id = j.session AND s.state IN ('live','draining')
            WHERE j.state = 'running' AND s.id IS NULL LIMIT 1000
            """
        )
        return Set(try result.map { row in try row.decode(Int.self) })
    }

    static func list(_ ids: Set<Int>) -> String {
        ids.sorted().prefix(5).map(String.init).joined(separator: ", ") + (ids.count > 5 ? ", …" : "")
    }

    func waiting() async throws -> [Finding] {
        let result = try await queue.postgres.query(Ledger.oldestReady, timeout: .seconds(60))
        let ages = try result.map { row in try row.decode(String.self, Double.self) }
        let old = ages.filter { $0.1 > 60 }.sorted { $0.1 > $1.1 }
        guard !old.isEmpty else {
            let oldest = ages.map(\.1).max()
            return [
                .ok(
                    "oldest",
                    oldest.map { "the oldest ready job waits \(Self.seconds($0))" } ?? "no job is ready and waits"
                )
            ]
        }
        return old.map { name, age in
            let what = "the oldest ready job of \(name) waits \(Self.seconds(age)) (parked tenants left out)"
            let why = "the fleet is too small for the load, or the queue does not move"
            let remedy = "`groundcrew top`; then more workers, or docs/operations.md, \"a queue does not move\"."
            return age > 600
                ? .bad("oldest", what, why: why, remedy: remedy) : .warn("oldest", what, why: why, remedy: remedy)
        }
    }

    func modes() async throws -> [Finding] {
        let shut = try await queue.ledger.queueSettings().filter { $0.mode != .open }
        return shut.map { setting in
            let by = setting.changedBy.isEmpty ? "" : " by \(setting.changedBy)"
            let reason = setting.reason.isEmpty ? "" : ": \(setting.reason)"
            return .warn(
                "queue.mode",
                "the queue \(setting.queue) is \(setting.mode.rawValue) since \(Self.seconds(setting.age))\(by)\(reason)",
                why: setting.mode == .paused ? "its jobs wait" : "it refuses new jobs",
                remedy: "`groundcrew resume \(setting.queue)` when it is time."
            )
        }
    }

    func deaths() async throws -> [Finding] {
        let groups = try await queue.postgres.query(Ledger.deaths).map { row in
            try row.decode(String.self, Int.self)
        }
        guard !groups.isEmpty else { return [.ok("dead", "no job died within the last 24 hours")] }
        let words = groups.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
        return [
            .warn(
                "dead",
                "within the last 24 hours there died: \(words)",
                why: "nobody tries them again by itself, and they are deleted after 14 days",
                remedy: "`groundcrew dead` says why; mend the cause, then `groundcrew retry`."
            )
        ]
    }
}

extension Ledger {
    /// Rows of kind and how many of it died within the last 24 hours and are still dead, most first.
    static let deaths: SQL = """
        SELECT kind, count(*) FROM jobs WHERE state = 'dead' AND finished_at > clock_timestamp() - interval '24 hours'
        GROUP BY 1 ORDER BY 2 DESC, 1
        """
}
