private import Logging
private import PostgresClient
private import RedisClient

/// What Postgres says Redis should hold.
package struct QueueState: Sendable {
    package let generation: Int
    package let redisRunID: String?
}

/// Redis was wiped, restarted or restored: everything in it is made anew from the ledger under a new generation.
extension Dispatch {
    package enum Agreement: Sendable, Equatable {
        /// Redis holds hints of the present generation.
        case agreed
        /// This call rebuilt them; so many jobs wait.
        case rebuilt(waiting: Int)
        /// Another process is rebuilding.
        case elsewhere
        case unreachable
    }

    /// Checks that Redis is the one the ledger knows, and rebuilds it if not. Cheap when all is well.
    package func verify() async -> Agreement {
        if generation != nil { return .agreed }
        do {
            return try await agree()
        } catch {
            logger.debug("Redis could not be checked against the ledger", metadata: ["error": "\(error)"])
            return .unreachable
        }
    }

    private func agree() async throws -> Agreement {
        let epoch = redis.connectionEpoch
        let runID = try await redisRunID()
        let state = try await ledger.queueState()
        if state.redisRunID == runID, try await holds(state.generation) {
            adopt(generation: state.generation, epoch: epoch)
            return .agreed
        }
        return try await rebuild(runID: runID, epoch: epoch)
    }

    private func redisRunID() async throws -> String {
        let info = try await redis.send(["INFO", "server"]).string ?? ""
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("run_id:") }
        guard let line else { throw RedisError(.protocolViolation, "INFO has no run_id") }
        return String(line.dropFirst("run_id:".count))
    }

    /// All queues carry this generation.
    private func holds(_ generation: Int) async throws -> Bool {
        let keys = keys
        let heads = await redis.pipeline(queues.map { ["HGET", keys.meta($0), "gen"] }, timeout: nil)
        for head in heads where try head.get().integer != generation { return false }
        return true
    }

    /// One process at a time, by an advisory lock that ends with its transaction.
    private func rebuild(runID: String, epoch: Int) async throws -> Agreement {
        try await ledger.postgres.transaction(timeout: .seconds(120)) { lock in
            let taken = try await lock.query("SELECT pg_try_advisory_xact_lock(7216544011)")
            guard try taken.first?.decode(Bool.self) ?? false else { return .elsewhere }
            let state = try await ledger.queueState()
            if state.redisRunID == runID, try await holds(state.generation) {
                adopt(generation: state.generation, epoch: epoch)
                return .agreed
            }
            let generation = try await ledger.nextGeneration()
            logger.warning("rebuilding Redis from the ledger", metadata: ["generation": "\(generation)"])
            try await clear()
            let waiting = try await refill()
            try await writeGeneration(generation)
            _ = try await ledger.postgres.query(
                "UPDATE queue_state SET redis_run_id = \(runID), rebuilt_at = clock_timestamp()"
            )
            adopt(generation: generation, epoch: epoch)
            logger.notice("Redis is rebuilt", metadata: ["generation": "\(generation)", "waiting": "\(waiting)"])
            return .rebuilt(waiting: waiting)
        }
    }

    private func clear() async throws {
        var cursor = "0"
        repeat {
            let page = try await redis.send(["SCAN", cursor, "MATCH", keys.everything, "COUNT", "1000"]).array ?? []
            guard page.count == 2, let next = page[0].string else { return }
            let names = (page[1].array ?? []).compactMap(\.string)
            if !names.isEmpty { _ = try await redis.send(["UNLINK"] + names) }
            cursor = next
        } while cursor != "0"
    }

    /// Limits, then running jobs under their sessions, then everything that waits. The generation is written last.
    private func refill() async throws -> Int {
        try await pushLimits(generation: "*")
        try await pushModes(generation: "*")
        try await adoptRunning()
        var waiting = 0
        for queue in try await ledger.waitingQueues() where queues.contains(queue) && !isFull {
            waiting += try await refill(queue)
        }
        return waiting
    }

    /// Pushes a queue page by page; the next page is read while Redis takes the last one in.
    private func refill(_ queue: String) async throws -> Int {
        var waiting = 0
        var page = try await ledger.waiting(in: queue, after: nil, limit: 5000)
        while !page.isEmpty {
            let last = page.last
            async let next = ledger.waiting(in: queue, after: last, limit: 5000)
            for result in await pushAll(page.map(\.hint), generation: "*") { _ = try result.get() }
            waiting += page.count
            page = try await next
            await watchMemory()
            // The sweep goes on when there is room.
            guard !isFull else { break }
        }
        return waiting
    }

    private func adoptRunning() async throws {
        let sessions = try await ledger.liveSessions()
        let keys = keys
        let empty = sessions.flatMap { session in
            queues.map { (Scripts.adopt, keys: [keys.prefix(of: $0)], arguments: [String(session), "0"]) }
        }
        for result in await redis.runAll(empty) { _ = try result.get() }
        for (session, hints) in try await ledger.running(under: sessions) {
            for (queue, jobs) in Dictionary(grouping: hints, by: \.queue) where queues.contains(queue) {
                for from in stride(from: 0, to: jobs.count, by: 1000) {
                    let page = jobs[from..<min(from + 1000, jobs.count)]
                    let labels = page.flatMap { [String($0.id), $0.record.text] }
                    let arguments = [String(session), String(page.count)] + labels
                    _ = try await redis.run(Scripts.adopt, keys: [keys.prefix(of: queue)], arguments: arguments)
                }
            }
        }
    }

    private func writeGeneration(_ generation: Int) async throws {
        let keys = keys
        let writes = queues.map { ["HSET", keys.meta($0), "gen", String(generation)] }
        for result in await redis.pipeline(writes, timeout: nil) { _ = try result.get() }
    }
}
