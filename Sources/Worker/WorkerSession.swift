import Jobs
import Logging
import PostgresClient
import Queue
import RedisClient
import Synchronization

/// One lease and all that runs under it: from the opening of the session until it is drained, or lost.
///
/// Seven loops share the books in ``SessionState``: the pump talks to Redis, the writer to the ledger, the waker waits for
/// work, the timer for delayed jobs, the watch looks at deadlines, progress is written down, and the heartbeat keeps the
/// lease.
final class WorkerSession: Sendable {
    enum End: Sendable, Equatable {
        case drained
        /// Ready work waited beside free slots, and new connections did not help.
        case stalled(String)
        /// The lease ended; everything was cancelled, and a new session may be opened.
        case lost(String)
    }

    let id: Int
    let configuration: WorkerConfiguration
    let queue: JobQueue
    let executor: Executor
    let hooks: TestHooks
    let logger: Logger
    let state: Mutex<SessionState>
    let pumpBell = Signal()
    let writerBell = Signal()
    let slotBell = Signal()
    let timerBell = Signal()
    private let heartbeat = Mutex<Heartbeat?>(nil)
    private let end = Mutex<End?>(nil)
    private let strangers = Mutex<Set<Int>>([])
    let stallWatch = Mutex(StallWatch(now: .now))
    private let finished: AsyncStream<End>
    private let finish: AsyncStream<End>.Continuation

    init(
        id: Int,
        configuration: WorkerConfiguration,
        queue: JobQueue,
        executor: Executor,
        hooks: TestHooks,
        logger: Logger
    ) {
        self.id = id
        self.configuration = configuration
        self.queue = queue
        self.executor = executor
        self.hooks = hooks
        self.logger = logger
        state = Mutex(
            SessionState(
                slots: configuration.slots,
                queues: configuration.queues.map { ($0.rawValue, $0.weight) }.sorted { $0.1 > $1.1 }
            )
        )
        (finished, finish) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .bufferingOldest(1))
    }

    /// Runs until ``drain()`` has done its work, or the lease is lost.
    func run(heartbeatOn postgres: PostgresConfiguration) async -> End {
        startHeartbeat(postgres)
        let end = await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.pump() }
            group.addTask { await self.wake() }
            group.addTask { await self.write() }
            group.addTask { await self.time() }
            group.addTask { await self.watch() }
            group.addTask { await self.writeProgress() }
            var end = End.drained
            for await event in finished {
                end = event
                break
            }
            group.cancelAll()
            for bell in [pumpBell, writerBell, slotBell, timerBell] { bell.ring() }
            return end
        }
        heartbeat.withLock { $0 }?.stop()
        return end
    }

    // MARK: Ending

    /// SIGTERM: quiet, then drain to the deadline, then hand back what still runs, no attempt spent.
    func drain() async {
        state.withLock { $0.beQuiet() }
        pumpBell.ring()
        try? await queue.ledger.drainSession(id)
        await settleDown(within: configuration.drain)
        interruptAll(.shutdown)
        await settleDown(within: .milliseconds(500))
        // A heartbeat under way will find the session closed, which is no loss.
        end.withLock { $0 = $0 ?? .drained }
        await close()
        finish.yield(.drained)
    }

    /// Waits until nothing runs and nothing is unwritten.
    private func settleDown(within limit: Duration) async {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline, !state.withLock({ $0.isIdle }) {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func close() async {
        await hooks.dropUnfinished(id, queue)
        do {
            let returned = try await queue.ledger.closeSession(id)
            if returned > 0 { logger.notice("handed back unfinished jobs", metadata: ["jobs": "\(returned)"]) }
        } catch {
            logger.warning("the session could not be closed; its lease will end", metadata: ["error": "\(error)"])
        }
        await queue.dispatch.releaseEndedSessions()
    }

    /// Every result from now on would be refused, so the work is cancelled before anyone else starts it.
    private func lose(_ reason: String) {
        let first = end.withLock { end in
            defer { end = end ?? .lost(reason) }
            return end == nil
        }
        guard first else { return }
        state.withLock { $0.beQuiet() }
        interruptAll(.shutdown)
        finish.yield(.lost(reason))
    }

    func interruptAll(_ reason: SessionState.Interruption) {
        let cancels = state.withLock { $0.running.values.compactMap(\.cancel) }
        for cancel in cancels { cancel(reason) }
    }

    // MARK: Heartbeat

    private func startHeartbeat(_ postgres: PostgresConfiguration) {
        let heartbeat = Heartbeat(session: id, lease: configuration.lease, configuration: postgres, logger: logger) {
            [weak self] event in self?.heard(event)
        }
        self.heartbeat.withLock { $0 = heartbeat }
        heartbeat.start()
    }

    private func heard(_ event: Heartbeat.Event) {
        switch event {
        case .lost(let reason): lose(reason)
        case .renewed(let running, let cancelled):
            state.withLock { $0.forgetDoomed(except: cancelled) }
            cancel(cancelled)
            returnStrangers(running)
            let count = state.withLock { $0.running.count }
            heartbeat.withLock { $0 }?.report(running: count)
        }
    }

    func cancel(_ ids: [Int]) {
        guard !ids.isEmpty else { return }
        for cancel in state.withLock({ $0.cancel(ids) }) { cancel(.requested) }
    }

    /// A claim whose reply was lost leaves rows that run under our name only. Two heartbeats in a row must agree on it.
    private func returnStrangers(_ running: [Int]) {
        let now = state.withLock { $0.strangers(among: running) }
        let twice = strangers.withLock { before in
            defer { before = now }
            return before.intersection(now)
        }
        guard !twice.isEmpty else { return }
        logger.warning("handing back jobs whose claim was never answered", metadata: ["jobs": "\(twice.count)"])
        // The heartbeat's thread must not wait for this.
        Task { try? await queue.ledger.handBack(Array(twice), session: id) }
    }

    // MARK: Watch

    /// Looks at deadlines. A job that ignores its cancellation is reminded, and its late result is still fenced.
    private func watch() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(250))
            let now = ContinuousClock.now
            for entry in state.withLock({ $0.overdue(now: now) }) {
                entry.cancel?(.timeout)
                state.withLock { $0.extendDeadline(entry.job.id, to: now + .seconds(5)) }
            }
            await lookForStall(now)
        }
    }

    private func lookForStall(_ now: ContinuousClock.Instant) async {
        guard state.withLock({ $0.free > 0 }) else { return stallWatch.withLock { $0.allIsWell(now: now) } }
        guard stallWatch.withLock({ $0.isSuspicious(now: now) }) else { return }
        let oldest = try? await queue.ledger.oldestReady(in: configuration.queues.map(\.rawValue))
        let words = "ready work has waited for \(oldest.map { "\($0)" } ?? "?"), and this worker takes none"
        switch stallWatch.withLock({ $0.judge(oldest: oldest ?? nil, now: now) }) {
        case .fine: break
        case .rebuild:
            logger.error("\(words); making the connections anew")
            queue.dispatch.startOver()
            queue.postgres.discardIdle()
            state.withLock { $0.hintAll() }
            pumpBell.ring()
        case .giveUp:
            logger.critical("\(words); giving up")
            state.withLock { $0.beQuiet() }
            await settleDown(within: configuration.drain)
            interruptAll(.shutdown)
            await settleDown(within: .milliseconds(500))
            await close()
            finish.yield(.stalled(words))
        }
    }
}
