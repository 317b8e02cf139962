import PostgresClient
private import Synchronization

/// Counts what waits in the ledger, for when Redis cannot say.
///
/// A count of a million rows takes a quarter of a second, so it is kept for a second, or twenty times as long as it took:
/// it never costs more than a twentieth of one connection. What this process let in meanwhile is added.
final class WaitingCensus: Sendable {
    private struct Count {
        var waiting: [String: Int]
        var total: Int
        let perSecond: Double
        let good: ContinuousClock.Instant
    }

    private struct State {
        var counts: [String: Count] = [:]
        var counting: Set<String> = []
    }

    private let ledger: Ledger
    private let state = Mutex(State())

    init(_ ledger: Ledger) {
        self.ledger = ledger
    }

    func load(of queue: String, tenant: String) async throws -> WaitingLoad {
        let (known, isMine) = state.withLock { state in
            let known = state.counts[queue]
            let isDue = known.map { $0.good < .now } ?? true
            guard isDue, state.counting.insert(queue).inserted else { return (known, false) }
            return (known, true)
        }
        // While one caller counts, the others go by the old figures; only before the first there are none.
        if let known, !isMine { return Self.load(known, tenant) }
        defer { if isMine { state.withLock { _ = $0.counting.remove(queue) } } }
        let count = try await count(queue)
        state.withLock { $0.counts[queue] = count }
        return Self.load(count, tenant)
    }

    func noteOneMore(in queue: String, tenant: String) {
        state.withLock { state in
            state.counts[queue]?.total += 1
            state.counts[queue]?.waiting[tenant, default: 0] += 1
        }
    }

    private static func load(_ count: Count, _ tenant: String) -> WaitingLoad {
        WaitingLoad(
            queue: count.total,
            tenant: count.waiting[tenant] ?? 0,
            tenants: max(1, count.waiting.count),
            perSecond: count.perSecond
        )
    }

    private func count(_ queue: String) async throws -> Count {
        let began = ContinuousClock.now
        let results = try await ledger.postgres.pipeline(
            [
                """
                SELECT tenant, count(*) FROM jobs
                WHERE queue = \(queue) AND state = 'queued' AND run_at < blocked_until() GROUP BY tenant
                """,
                """
                SELECT count(*) / 10.0::float8 FROM jobs
                WHERE state IN ('done','cancelled') AND finished_at > now() - interval '10 seconds' AND queue = \(queue)
                """,
            ],
            timeout: .seconds(30)
        )
        let pairs = try results[0].map { row in try row.decode(String.self, Int.self) }
        let took = began.duration(to: .now)
        return Count(
            waiting: Dictionary(pairs, uniquingKeysWith: +),
            total: pairs.reduce(0) { $0 + $1.1 },
            perSecond: try results[1].first?.decode(Double.self) ?? 0,
            good: .now + max(.seconds(1), took * 20)
        )
    }
}
