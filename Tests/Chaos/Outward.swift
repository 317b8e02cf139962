import PostgresClient

/// I9: what the fleet told the world, held against what it had to tell.
struct Outward: Sendable {
    let sea: Sea
    let sink: Sink
    let faults: Int

    /// - Returns: deliveries that never arrived, or arrived under two ids, or runs without their events; and what came twice.
    func judge() async throws -> [Finding] {
        let posts = sink.posts()
        let due = try await sea.postgres.query("SELECT id FROM webhook_deliveries", timeout: .seconds(60))
            .map { try $0.decode(String.self) }
        let missing = due.count { posts[$0] == nil }
        let doubtful = posts.values.count { Set($0).count > 1 }
        let silent = try await sea.number(
            """
            SELECT count(*) FROM runs r WHERE 2 > (
              SELECT count(*) FROM events WHERE dedupe_key IN ('engagement.started:' || r.id,
                'engagement.completed:' || r.id, 'engagement.failed:' || r.id))
            """
        )
        let again = posts.values.reduce(0) { $0 + $1.count - 1 }
        let broken = missing + doubtful + silent
        return [
            Finding(
                name: "I9 every event reaches its endpoint (\(due.count) due)",
                formula: "missing, under two ids, or never written",
                count: broken,
                holds: broken == 0
            ),
            Finding(
                name: "I9 told again no oftener than harmed",
                formula: "Σ(posts − 1) ≤ faults",
                count: again,
                holds: again <= faults
            ),
        ]
    }
}
