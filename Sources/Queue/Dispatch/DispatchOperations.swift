private import PostgresClient
private import RedisClient

/// A job that runs, and under which session.
package struct RunningJob: Sendable, Hashable {
    package let id: Int
    package let queue: String
    package let session: Int

    package init(id: Int, queue: String, session: Int) {
        self.id = id
        self.queue = queue
        self.session = session
    }
}

/// What operators want, told to Redis.
extension Dispatch {
    /// Tells Redis which queues are paused; does nothing while it is away, or not known to agree with the ledger.
    package func refreshModes() async throws {
        guard let generation else { return }
        do {
            try await pushModes(generation: String(generation))
        } catch let error as RedisError {
            suspect(error)
            throw error
        }
    }

    /// The same for a process that has just begun and will not verify: it takes the generation from the ledger as it stands.
    func tellModes() async throws {
        guard let generation = await currentGeneration() else { return }
        try await pushModes(generation: String(generation))
    }

    /// - Parameter generation: `*` during a rebuild.
    func pushModes(generation: String) async throws {
        let settings = try await ledger.queueSettings()
        let paused = Set(settings.filter { $0.mode == .paused }.map(\.queue))
        let calls = queues.map { queue in
            (
                Scripts.settings, keys: [keys.prefix(of: queue)],
                arguments: [generation, paused.contains(queue) ? "1" : "0"]
            )
        }
        for result in await redis.runAll(calls) { _ = try result.get() }
    }

    /// Waits for the first connection, and never rebuilds.
    private func currentGeneration() async -> Int? {
        if generation == nil {
            _ = try? await redis.send(["PING"])
            await trustLedger()
        }
        return generation
    }

    /// Asks workers to cancel what they run, in their next cycle. Best effort: the ledger's flag is read by each heartbeat.
    package func requestCancels(_ jobs: [RunningJob]) async {
        var calls: [RedisScriptCall] = []
        for (queue, jobs) in Dictionary(grouping: jobs, by: \.queue) {
            for from in stride(from: 0, to: jobs.count, by: 1000) {
                let arguments = jobs[from..<min(from + 1000, jobs.count)].flatMap {
                    [String($0.session), String($0.id)]
                }
                calls.append((Scripts.cancel, keys: [keys.prefix(of: queue)], arguments: arguments))
            }
        }
        if !calls.isEmpty { _ = await redis.runAll(calls) }
    }
}
