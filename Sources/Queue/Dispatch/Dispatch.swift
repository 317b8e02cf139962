package import Logging
package import RedisClient
private import Synchronization

/// Dispatch in Redis: which id next, for whom, within which caps. It holds hints only; losing all of it costs time, no job.
package final class Dispatch: Sendable {
    package let redis: Redis
    package let queues: [String]
    /// Tells those who await jobs of their end.
    package let notices: EndNotices
    let ledger: Ledger
    let keys: Keys
    let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var generation: Int?
        var verifiedEpoch = 0
        var pending: [JobHint] = []
        var pushing = false
        var told: [String: ToldLimits] = [:]
        var memory = RedisMemory()
    }

    /// - Parameters:
    ///   - queues: all queues there are; a rebuild writes each of them.
    ///   - namespace: first part of every key, so that installations (and tests) can share a server.
    package init(_ redis: Redis, ledger: Ledger, queues: [String], namespace: String = "gc", logger: Logger) {
        self.redis = redis
        self.ledger = ledger
        self.queues = queues
        self.keys = Keys(namespace: namespace)
        self.notices = EndNotices(redis, channel: keys.ended, news: keys.news)
        self.logger = logger
    }

    // MARK: Generation

    /// The generation that Redis was last seen to agree with; nil while that is not known.
    var generation: Int? {
        state.withLock { $0.verifiedEpoch == redis.connectionEpoch && redis.isConnected ? $0.generation : nil }
    }

    func adopt(generation: Int, epoch: Int) {
        state.withLock {
            $0.generation = generation
            $0.verifiedEpoch = epoch
        }
    }

    /// Redis contradicted us: nothing is dispatched until ``verify()`` has looked again.
    func doubt() {
        state.withLock { $0.generation = nil }
    }

    /// What this process last told Redis of limits.
    var told: [String: ToldLimits] {
        get { state.withLock { $0.told } }
        set { state.withLock { $0.told = newValue } }
    }

    /// What is known of Redis' memory.
    func withMemory<Value>(_ body: (inout RedisMemory) -> Value) -> Value {
        state.withLock { body(&$0.memory) }
    }

    // MARK: Pushing

    /// Makes committed jobs known to Redis, together with what other callers push meanwhile.
    ///
    /// Failing is no error: the sweep finds every waiting job that Redis does not know.
    package func push(_ hints: [JobHint]) async {
        guard !hints.isEmpty else { return }
        let mine = state.withLock { state in
            state.pending += hints
            defer { state.pushing = true }
            return !state.pushing
        }
        guard mine else { return }
        while let batch = takePending() { await send(batch) }
    }

    private func takePending() -> [JobHint]? {
        state.withLock { state in
            guard !state.pending.isEmpty else {
                state.pushing = false
                return nil
            }
            defer { state.pending = [] }
            return state.pending
        }
    }

    private func send(_ hints: [JobHint]) async {
        if generation == nil { await trustLedger() }
        await watchMemory()
        guard let generation, !isFull else { return }
        for result in await pushAll(hints, generation: String(generation)) {
            if case .failure(let error) = result {
                suspect(error)
                logger.debug("push of hints failed; the sweep will repeat it", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Takes the generation from Postgres as it stands. A producer never rebuilds: a wrong one is refused by the scripts.
    func trustLedger() async {
        guard redis.isConnected, let known = try? await ledger.queueState() else { return }
        adopt(generation: known.generation, epoch: redis.connectionEpoch)
    }

    /// Sends hints, a script per queue and page, all in one write.
    func pushAll(_ hints: [JobHint], generation: String) async -> [Result<RedisReply, RedisError>] {
        var calls: [(RedisScript, keys: [String], arguments: [String])] = []
        for (queue, jobs) in Dictionary(grouping: hints, by: \.queue) {
            for from in stride(from: 0, to: jobs.count, by: 1000) {
                let page = jobs[from..<min(from + 1000, jobs.count)]
                var arguments = [generation, String(page.count)]
                arguments.reserveCapacity(2 + 3 * page.count)
                for job in page { arguments += [String(job.id), job.record.text, String(job.due)] }
                calls.append((Scripts.push, keys: [keys.prefix(of: queue)], arguments: arguments))
            }
        }
        return await redis.runAll(calls)
    }

    /// Waiting jobs whose moment was changed in the ledger. One that is not waiting for a moment is left as it is: it is
    /// refused when it is claimed too early, and comes back with its new moment.
    func move(_ hints: [JobHint]) async {
        guard !hints.isEmpty else { return }
        let keys = keys
        let commands = hints.flatMap { hint in
            [
                ["ZADD", keys.scheduled(hint.queue), "XX", String(hint.due), String(hint.id)],
                ["ZADD", keys.wake(hint.queue), "0", "0"],
            ]
        }
        _ = await redis.pipeline(commands, timeout: nil)
    }

    // MARK: Taking out

    /// Waiting jobs that were cancelled or dropped in the ledger.
    package func forget(_ ids: [Int], queue: String) async {
        guard !ids.isEmpty else { return }
        _ = try? await redis.run(Scripts.forget, keys: [keys.prefix(of: queue)], arguments: ids.map(String.init))
    }
}

extension RedisError {
    /// Redis was wiped, restored or is being rebuilt.
    var isOtherGeneration: Bool { if case .server(let prefix) = code { prefix == "GCGEN" } else { false } }

    /// Its memory is used up: it refuses whatever needs more.
    var isOutOfMemory: Bool { if case .server(let prefix) = code { prefix == "OOM" } else { false } }

    /// The session is not known to Redis.
    var isFenced: Bool { if case .server(let prefix) = code { prefix == "GCFENCED" } else { false } }
}

extension Dispatch {
    /// Redis is connected and holds hints of the generation that the ledger knows.
    package var isAgreed: Bool { generation != nil }

    /// Trusts nothing any more: another connection, and a look at the generation.
    package func startOver() {
        redis.reconnect(because: "nothing comes of it")
        doubt()
    }

    /// A command failed in a way that may mean that Redis is not the one we knew.
    package func suspect(_ error: RedisError) {
        if error.isOtherGeneration { doubt() }
        if error.isOutOfMemory { noteOutOfMemory() }
    }
}

extension Dispatch {
    /// How many ids Redis knows of each queue; empty while it is away.
    package func depths() async -> [String: Int] {
        let calls = queues.map { (Scripts.depth, keys: [keys.prefix(of: $0)], arguments: [String]()) }
        var depths: [String: Int] = [:]
        for (queue, result) in zip(queues, await redis.runAll(calls)) {
            if case .success(let reply) = result, let parts = reply.array, parts.count > 1 {
                depths[queue] = parts[1].integer
            }
        }
        return depths
    }
}
