import Jobs
import Logging
import PostgresClient
import Queue
import Synchronization

/// The conversation with the ledger: results of finished attempts and claims of new ones, together in one trip.
extension WorkerSession {
    func write() async {
        while !Task.isCancelled {
            await writerBell.wait()
            while !Task.isCancelled {
                let batch = state.withLock { $0.nextBatch() }
                guard !batch.isEmpty else { break }
                await write(batch)
            }
        }
    }

    private func write(_ batch: SessionState.Batch) async {
        var statements: [SQL] = []
        if !batch.finished.isEmpty { statements.append(Ledger.finish(batch.finished.map(\.job))) }
        if !batch.others.isEmpty { statements.append(Ledger.settle(batch.others.map(\.job))) }
        if !batch.tickets.isEmpty { statements.append(hooks.claim(batch.tickets.map(\.id), session: id)) }
        if batch.want > 0 {
            let queues = configuration.queues.map(\.rawValue)
            statements.append(Ledger.claimWithoutRedis(queues: queues, limit: batch.want, session: id))
        }
        do {
            let results = try await queue.postgres.pipeline(statements)
            try await take(results, of: batch)
        } catch {
            logger.warning("the ledger could not be written; trying again", metadata: ["error": "\(error)"])
            state.withLock { $0.batchFailed(batch) }
            try? await Task.sleep(for: .milliseconds(Int.random(in: 50...250)))
            writerBell.ring()
        }
        pumpBell.ring()
        // Slots come free here too, where ids turned out to be ghosts: nobody would listen for work any more.
        slotBell.ring()
    }

    private func take(_ results: [PostgresResult], of batch: SessionState.Batch) async throws {
        var rest = results[...]
        var counted: [Int: Int] = [:]
        if !batch.finished.isEmpty, let result = rest.popFirst() {
            for row in result {
                let (id, due) = try row.decode(Int.self, Int.self)
                counted[id] = due
            }
        }
        if !batch.others.isEmpty, let result = rest.popFirst() {
            for row in result {
                let (id, due) = try row.decode(Int.self, Int.self)
                counted[id] = due
            }
        }
        var claimed: [ClaimedJob] = []
        while let result = rest.popFirst() { claimed += try Ledger.claimed(result) }
        let ids = Set(claimed.map(\.id))
        let missing = batch.tickets.filter { !ids.contains($0.id) }
        let waiting = missing.isEmpty ? [] : (try? await queue.ledger.notYetDue(missing.map(\.id))) ?? []
        let due = Dictionary(waiting.map { ($0.id, $0.due) }, uniquingKeysWith: { first, _ in first })
        let started = state.withLock { state in
            let started = start(claimed, batch, &state)
            state.batchDone(batch, counted: counted, claimed: ids, waiting: due)
            return started
        }
        if !claimed.isEmpty { stallWatch.withLock { $0.allIsWell(now: .now) } }
        for job in started { run(job) }
        announce(batch, counted)
    }

    /// Tells those who await the results, and Redis of the jobs that follow.
    private func announce(_ batch: SessionState.Batch, _ counted: [Int: Int]) {
        let ended = (batch.finished + batch.others).map(\.job).filter { (counted[$0.id] ?? 0) < 0 }
        guard !ended.isEmpty else { return }
        // The next trip to the ledger must not wait for this.
        Task { await queue.announce(ended: ended.map(\.id), followed: ended.filter(\.hasFollowers).map(\.id)) }
    }

    private func start(
        _ claimed: [ClaimedJob],
        _ batch: SessionState.Batch,
        _ state: inout SessionState
    ) -> [ClaimedJob] {
        let tickets = Dictionary(batch.tickets.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let now = ContinuousClock.now
        let admitted = state.admit(claimed, tickets: tickets)
        for job in admitted {
            let limit = executor.policy(of: job)?.timeout ?? .seconds(60)
            state.started(job, tickets[job.id], deadline: now + limit)
        }
        return admitted
    }

    // MARK: Execution

    /// Each job has a task of its own outside the group, because it must be possible to cancel it alone; the session waits for
    /// all of them in its books.
    private func run(_ job: ClaimedJob, bringing parcel: (any Sendable)? = nil) {
        let interruption = InterruptionBox()
        let handOver = HandOver(brought: parcel) { [self] in state.withLock { $0.mayContinue(job) } ? id : nil }
        let began = ContinuousClock.now
        // Outside the group, because it must be possible to cancel one job alone.
        let task = Task {
            let result = await executor.execute(job, handOver: handOver)
            finish(job, result, interruption.reason, handOver, since: began)
            if case .ended(.returned(.settled)) = result {
                await queue.announce(ended: [job.id], followed: job.hasFollowers ? [job.id] : [])
            }
        }
        let cancel: @Sendable (SessionState.Interruption) -> Void = { reason in
            interruption.set(reason)
            task.cancel()
        }
        if state.withLock({ $0.attach(job.id, job.attempt, cancel: cancel) }) { cancel(.requested) }
    }

    private func finish(
        _ job: ClaimedJob,
        _ result: Executor.Result,
        _ interruption: SessionState.Interruption?,
        _ handOver: HandOver,
        since began: ContinuousClock.Instant
    ) {
        let now = ContinuousClock.now
        let took = began.duration(to: now).milliseconds
        let next = handOver.take().map { (job: $0, deadline: now + (executor.policy(of: $0)?.timeout ?? .seconds(60))) }
        switch result {
        case .fenced:
            state.withLock { _ = $0.ended(job, nil, fenced: true, milliseconds: took) }
            pumpBell.ring()
            slotBell.ring()
        case .ended(let ending):
            let settlement = settlement(of: Self.interrupted(ending, by: interruption, job, executor), job)
            let started = state.withLock {
                $0.ended(job, settlement, fenced: false, milliseconds: took, followUps: next)
            }
            for job in started { run(job, bringing: handOver.sent) }
            if started.isEmpty, let parcel = handOver.sent as? any Abandonable {
                // The slot must not wait for it.
                Task { await parcel.abandon() }
            }
            if let settlement { log(settlement, job) }
            guard started.isEmpty else { break }
            writerBell.ring()
            pumpBell.ring()
            slotBell.ring()
        }
    }

    /// A job that was cut short usually throws; what it threw then is not its own failure.
    private static func interrupted(
        _ ending: Verdict.Ending,
        by interruption: SessionState.Interruption?,
        _ job: ClaimedJob,
        _ executor: Executor
    ) -> Verdict.Ending {
        guard case .threw = ending, let interruption else { return ending }
        return switch interruption {
        case .timeout: .timedOut(executor.policy(of: job)?.timeout ?? .zero)
        case .requested: .cancelled
        case .shutdown: .interrupted
        }
    }

    private func settlement(of ending: Verdict.Ending, _ job: ClaimedJob) -> Settlement? {
        let retry = executor.policy(of: job)?.retry ?? RetryPolicy(attempts: 1, base: .zero, ceiling: .zero)
        return Verdict.settlement(of: ending, job: job, retry: retry, jitter: .random(in: 0...1))
    }

    private func log(_ settlement: Settlement, _ job: ClaimedJob) {
        let metadata: Logger.Metadata = ["job": "\(job.id)", "kind": "\(job.kind)", "attempt": "\(job.attempt)"]
        switch settlement {
        case .done, .finished, .snooze, .unreadable, .handBack: break
        case .retry(let delay, let error):
            logger.warning(
                "a job failed and will be tried again in \(delay)",
                metadata: metadata.merging(["error": "\(error)"]) { $1 }
            )
        case .dead(let reason, let error):
            logger.error("a job is dead (\(reason.rawValue))", metadata: metadata.merging(["error": "\(error)"]) { $1 })
        case .cancelled(let reason):
            logger.notice(
                "a job was cancelled: its result is refused",
                metadata: metadata.merging(["reason": "\(reason)"]) { $1 }
            )
        }
    }
}
