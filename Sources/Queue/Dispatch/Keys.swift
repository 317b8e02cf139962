/// Every Redis key of the queue is spelled here, or derived from it inside the scripts (see their headers).
///
/// One hash tag per queue, so that all keys of a queue live in one slot of a cluster.
struct Keys: Sendable {
    let namespace: String

    /// The prefix T that the scripts build on: `{gc:crew}`.
    func prefix(of queue: String) -> String { "{\(namespace):\(queue)}" }

    /// Sorted set with one member while there may be work: idle workers sit in BZPOPMIN on it.
    func wake(_ queue: String) -> String { prefix(of: queue) + ":wake" }

    /// Hash: generation, virtual time, how many are active, the queue's cap.
    func meta(_ queue: String) -> String { prefix(of: queue) + ":m" }

    /// Hash: id → record, for every id that Redis knows.
    func records(_ queue: String) -> String { prefix(of: queue) + ":b" }

    /// Set of sessions that may claim.
    func openSessions(_ queue: String) -> String { prefix(of: queue) + ":w" }

    /// Set of sessions that are over and still hold ids.
    func endingSessions(_ queue: String) -> String { prefix(of: queue) + ":x" }

    /// Hash: tenants off the rings, `c` at their cap, `r` by their rate.
    func parked(_ queue: String) -> String { prefix(of: queue) + ":bk" }

    /// Sorted set of ids that wait for a moment.
    func scheduled(_ queue: String) -> String { prefix(of: queue) + ":sch" }

    /// Hash: ids that have a place of their concurrency key.
    func places(_ queue: String) -> String { prefix(of: queue) + ":kh" }

    /// Channel on which the ids of jobs that have ended are published, separated by commas.
    var ended: String { "\(namespace):ended" }

    /// Channel on which names of what has news are published, separated by commas: runs, and engagements that got a run.
    var news: String { "\(namespace):news" }

    /// Hash of the rate buckets there are, for whoever lists them: name → limits. Not the queue's: a rebuild leaves them alone.
    var rates: String { "\(namespace):{rate}" }

    /// Hash: what is left of one pair of rate buckets.
    func rate(_ name: String) -> String { rates + ":" + name }

    var everything: String { "{\(namespace):*" }
}
