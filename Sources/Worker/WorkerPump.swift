import Jobs
import Logging
import Queue
import RedisClient
import Synchronization

/// The conversation with Redis: one cycle at a time, in which results and free slots pile up for the next.
extension WorkerSession {
    func pump() async {
        pumpBell.ring()
        while !Task.isCancelled {
            await pumpBell.wait()
            while !Task.isCancelled, await turn() {}
        }
    }

    /// One turn.
    ///
    /// - Returns: true when there is reason for another one at once.
    private func turn() async -> Bool {
        guard queue.dispatch.isAgreed else { return await withoutRedis() }
        await queue.dispatch.watchMemory()
        let (requests, order) = state.withLock { ($0.nextCycle(), $0.classOrder) }
        guard !requests.isEmpty else { return await besideFullRedis() }
        let replies = await queue.dispatch.cycle(requests, session: id, classOrder: order)
        var failure: RedisError?
        for (request, reply) in zip(requests, replies) {
            switch reply {
            case .success(let reply):
                state.withLock { $0.cycled(request, reply, now: .now) }
                cancel(reply.cancellations)
            case .failure(let error):
                state.withLock { $0.cycleFailed(request) }
                failure = error
            }
        }
        writerBell.ring()
        if state.withLock({ $0.needsTimer }) { timerBell.ring() }
        guard let failure else {
            let isFull = await besideFullRedis()
            return isFull || state.withLock { $0.wantsCycle }
        }
        logger.info("a cycle failed", metadata: ["error": "\(failure)"])
        queue.dispatch.suspect(failure)
        if await besideFullRedis() { return true }
        if await agree() { await resync() }
        return true
    }

    /// Checks Redis, or rebuilds it. That may take seconds, so the ledger is asked for work meanwhile.
    private func agree() async -> Bool {
        let agreement = await withTaskGroup(of: Dispatch.Agreement?.self) { group in
            group.addTask { await self.queue.dispatch.verify() }
            group.addTask {
                await self.claimMeanwhile()
                return nil
            }
            for await agreement in group {
                guard let agreement else { continue }
                group.cancelAll()
                return agreement
            }
            return .unreachable
        }
        switch agreement {
        case .agreed: return true
        case .rebuilt:
            state.withLock { $0.dropAcknowledgements() }
            return true
        case .elsewhere, .unreachable: return false
        }
    }

    private func claimMeanwhile() async {
        while true {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 60...120)))
            guard !Task.isCancelled else { return }
            state.withLock { $0.claimWithoutRedis() }
            writerBell.ring()
        }
    }

    /// Opens the session in Redis and compares the books: after any lost reply Redis may hold ids for us that we never heard
    /// of.
    private func resync() async {
        do {
            try await queue.dispatch.open(session: id)
            let held = try await queue.dispatch.held(by: id, queues: configuration.queues.map(\.rawValue))
            state.withLock { $0.reconcile(held) }
        } catch {
            queue.dispatch.suspect(error)
        }
    }

    /// Redis is away or not to be trusted: the ledger is asked directly, and Redis is looked at again meanwhile.
    private func withoutRedis() async -> Bool {
        if await agree() {
            await resync()
            return true
        }
        state.withLock { $0.claimWithoutRedis() }
        writerBell.ring()
        try? await Task.sleep(for: .milliseconds(Int.random(in: 60...120)))
        return !state.withLock { $0.quiet }
    }

    /// Redis is full and knows only a part of what waits: the ledger is asked as well.
    ///
    /// - Returns: true when another turn should follow at once.
    private func besideFullRedis() async -> Bool {
        guard queue.dispatch.isFull else { return false }
        state.withLock { $0.claimWithoutRedis() }
        writerBell.ring()
        try? await Task.sleep(for: .milliseconds(Int.random(in: 60...120)))
        return !state.withLock { $0.quiet }
    }

    // MARK: Waiting for work

    /// Sits in a blocking read while there are free slots. Its timeout is also the net under a lost wake-up.
    func wake() async {
        let redis = queue.dispatch.redis
        let blocking = redis.blocking()
        let queues = configuration.queues.map(\.rawValue)
        while !Task.isCancelled {
            guard state.withLock({ $0.free > 0 }) else {
                await slotBell.wait()
                continue
            }
            do {
                let woken = try await queue.dispatch.wait(on: blocking, queues: queues, timeout: .seconds(2))
                state.withLock { if let woken { $0.hint(woken) } else { $0.hintAll() } }
            } catch {
                try? await Task.sleep(for: .milliseconds(50))
            }
            pumpBell.ring()
        }
        await blocking.close()
    }

    /// Rings when a delayed job comes due: promoting it is part of a cycle, and an idle worker makes none.
    func time() async {
        while !Task.isCancelled {
            if let moment = state.withLock({ $0.armTimer() }) {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { try? await Task.sleep(until: moment) }
                    group.addTask { await self.timerBell.wait() }
                    await group.next()
                    group.cancelAll()
                }
                state.withLock { $0.hintDue(now: .now) }
                pumpBell.ring()
            } else {
                await timerBell.wait()
            }
        }
    }
}
