import RedisClient

/// What Redis was told of a queue's limits.
struct ToldLimits: Sendable, Equatable {
    /// Cap, milliseconds between starts, burst.
    var queue = ["0", "0", "1"]
    var tenants: [String: String] = [:]
}

/// Caps, weights and rates on their way from the ledger to Redis. Only what has changed is told.
extension Dispatch {
    /// Brings them up to date; does nothing while Redis is away.
    package func refreshLimits() async throws {
        guard let generation else { return }
        try await pushLimits(generation: String(generation))
    }

    /// - Parameter generation: `*` in a rebuild: Redis is empty and is told everything.
    func pushLimits(generation: String) async throws {
        let wanted = Self.grouped(try await ledger.limits())
        let known = generation == "*" ? [:] : told
        var calls: [(RedisScript, keys: [String], arguments: [String])] = []
        for queue in queues {
            let before = known[queue] ?? ToldLimits()
            let after = wanted[queue] ?? ToldLimits()
            guard before != after else { continue }
            calls += Self.changes(from: before, to: after).map { page in
                (Scripts.limit, keys: [keys.prefix(of: queue)], arguments: [generation] + after.queue + page)
            }
        }
        for result in await redis.runAll(calls) { _ = try result.get() }
        told = wanted
    }

    private static func grouped(_ limits: [QueueLimit]) -> [String: ToldLimits] {
        var queues: [String: ToldLimits] = [:]
        for limit in limits {
            if let tenant = limit.tenant {
                let text = "\(limit.concurrency),\(limit.weight),\(limit.interval),\(limit.burst)"
                queues[limit.queue, default: ToldLimits()].tenants[tenant] = text
            } else {
                queues[limit.queue, default: ToldLimits()].queue = [
                    String(limit.concurrency), limit.interval, String(limit.burst),
                ]
            }
        }
        return queues
    }

    /// Pages of `n, tenant, limit …`; at least one, for the queue's own limits.
    private static func changes(from before: ToldLimits, to after: ToldLimits) -> [[String]] {
        var pairs = after.tenants.filter { before.tenants[$0.key] != $0.value }.map { [$0.key, $0.value] }
        pairs += before.tenants.keys.filter { after.tenants[$0] == nil }.map { [$0, ""] }
        guard !pairs.isEmpty else { return [["0"]] }
        return stride(from: 0, to: pairs.count, by: 1000).map { from in
            let page = pairs[from..<min(from + 1000, pairs.count)]
            return [String(page.count)] + page.flatMap(\.self)
        }
    }
}
