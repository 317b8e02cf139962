import RedisClient

/// What Redis was told of a queue's limits.
struct ToldLimits: Sendable, Equatable {
    /// Cap, milliseconds between starts, burst.
    var queue = ["0", "0", "1"]
    var tenants: [String: String] = [:]
    /// Cap by key, as Redis is told it; '' is every other key.
    var keys: [String: String] = [:]
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
        let wanted = Self.grouped(try await ledger.limits(), try await ledger.keyLimits())
        let known = generation == "*" ? [:] : told
        var calls: [(RedisScript, keys: [String], arguments: [String])] = []
        for queue in queues {
            let before = known[queue] ?? ToldLimits()
            let after = wanted[queue] ?? ToldLimits()
            calls += Self.changes(from: before.keys, to: after.keys).map { page in
                (Scripts.keyLimit, keys: [keys.prefix(of: queue)], arguments: [generation] + page)
            }
            guard before.queue != after.queue || before.tenants != after.tenants else { continue }
            let changes = Self.changes(from: before.tenants, to: after.tenants)
            calls += (changes.isEmpty ? [["0"]] : changes).map { page in
                (Scripts.limit, keys: [keys.prefix(of: queue)], arguments: [generation] + after.queue + page)
            }
        }
        for result in await redis.runAll(calls) { _ = try result.get() }
        told = wanted
    }

    private static func grouped(_ limits: [QueueLimit], _ keyLimits: [KeyLimit]) -> [String: ToldLimits] {
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
        for limit in keyLimits {
            let key = JobRecord.escaped(limit.key ?? "")
            queues[limit.queue, default: ToldLimits()].keys[key] = String(limit.concurrency)
        }
        return queues
    }

    /// Pages of `n, tenant or key, limit …`; a page with none tells the queue's own limits alone.
    private static func changes(from before: [String: String], to after: [String: String]) -> [[String]] {
        var pairs = after.filter { before[$0.key] != $0.value }.map { [$0.key, $0.value] }
        pairs += before.keys.filter { after[$0] == nil }.map { [$0, ""] }
        return stride(from: 0, to: pairs.count, by: 1000).map { from in
            let page = pairs[from..<min(from + 1000, pairs.count)]
            return [String(page.count)] + page.flatMap(\.self)
        }
    }
}
