package import Queue

/// The books of one worker session: slots, tickets, results. All decisions are here and none of the deeds, so that they can
/// be tested without a clock or a server.
package struct SessionState: Sendable {
    /// A job in the hands of the executor.
    package struct Running: Sendable {
        package let job: ClaimedJob
        /// Nil when it was claimed without Redis.
        package var ticket: Ticket?
        package var deadline: ContinuousClock.Instant
        /// What its predecessors in the chain took.
        var milliseconds = 0
        package var cancel: (@Sendable (Interruption) -> Void)?
    }

    package enum Interruption: Sendable {
        case timeout, requested, shutdown
    }

    /// A result on its way into the ledger.
    package struct Result: Sendable {
        package let job: SettledJob
        package let ticket: Ticket?
        /// How long the slot was held.
        var milliseconds = 0
    }

    /// One trip to the ledger.
    package struct Batch: Sendable {
        package var finished: [Result] = []
        package var others: [Result] = []
        package var tickets: [Ticket] = []
        /// Claim so many without Redis.
        package var want = 0

        package var isEmpty: Bool { finished.isEmpty && others.isEmpty && tickets.isEmpty && want == 0 }
    }

    private let slots: Int
    private let queues: [(name: String, weight: Int)]
    private var toClaim: [Ticket] = []
    private var claiming = 0
    private var claimingTickets: Set<Int> = []
    private var results: [Result] = []
    private var inLedger: Set<Int> = []
    private var acknowledgements: [String: [Acknowledgement]] = [:]
    private var hinted: Set<String>
    private var due: [String: ContinuousClock.Instant] = [:]
    /// The moment that the timer waits for.
    private var armed: ContinuousClock.Instant?
    private var cycles = 0
    private var want = 0
    package private(set) var running: [Int: Running] = [:]
    /// Jobs that somebody wants cancelled and that have no task here yet.
    private var doomed: Set<Int> = []
    package private(set) var quiet = false

    package init(slots: Int, queues: [(name: String, weight: Int)]) {
        self.slots = slots
        self.queues = queues
        hinted = Set(queues.map(\.name))
    }

    // MARK: Slots

    package var free: Int {
        guard !quiet, results.count < 4 * slots else { return 0 }
        return max(0, slots - running.count - toClaim.count - claiming)
    }

    package var isIdle: Bool {
        running.isEmpty && toClaim.isEmpty && claiming == 0 && results.isEmpty && inLedger.isEmpty
    }

    /// No more claims. Tickets that the ledger has not seen yet are handed back unrun.
    package mutating func beQuiet() {
        quiet = true
        for ticket in toClaim { acknowledge(ticket, .handBack) }
        toClaim = []
    }

    // MARK: Dispatch

    package mutating func hint(_ queue: String) {
        hinted.insert(queue)
    }

    package mutating func hintAll() {
        hinted = Set(queues.map(\.name))
    }

    /// The next moment at which a delayed job comes due, and a timer shall ring.
    package mutating func armTimer() -> ContinuousClock.Instant? {
        armed = due.values.min()
        return armed
    }

    /// The timer waits for too late a moment, or for none.
    package var needsTimer: Bool {
        guard let next = due.values.min() else { return false }
        return armed.map { next < $0 } ?? true
    }

    package mutating func hintDue(now: ContinuousClock.Instant) {
        for (queue, moment) in due where moment <= now {
            due[queue] = nil
            hinted.insert(queue)
        }
    }

    /// The next cycle: what to acknowledge, and a share of the free slots for each queue that may have work.
    package mutating func nextCycle() -> [CycleRequest] {
        var left = free
        var requests: [CycleRequest] = []
        let asked = queues.filter { hinted.contains($0.name) }
        var weight = asked.reduce(0) { $0 + $1.weight }
        // With fewer slots than queues the first ones would take them all, so the first place goes round.
        let shift = left < asked.count ? cycles % queues.count : 0
        for queue in queues[shift...] + queues[..<shift] {
            let settled = acknowledgements.removeValue(forKey: queue.name) ?? []
            var share = 0
            if hinted.contains(queue.name), left > 0 {
                share = min(left, max(1, left * queue.weight / max(1, weight)))
                weight -= queue.weight
                left -= share
            }
            if share > 0 || !settled.isEmpty {
                requests.append(CycleRequest(queue: queue.name, acknowledgements: settled, want: share))
            }
        }
        if !requests.isEmpty { cycles += 1 }
        return requests
    }

    /// Strict order most of the time; each lower class leads now and then, so that none starves.
    package var classOrder: String {
        switch cycles % 16 {
        case 3, 7, 11, 15: "1023"
        case 5, 13: "2013"
        case 9: "3012"
        default: "0123"
        }
    }

    package mutating func cycled(_ request: CycleRequest, _ reply: CycleReply, now: ContinuousClock.Instant) {
        if !reply.more, reply.claims.count < request.want { hinted.remove(request.queue) }
        due[request.queue] = reply.nextDue.map { now + $0 }
        if quiet {
            for ticket in reply.claims { acknowledge(ticket, .handBack) }
        } else {
            toClaim += reply.claims
        }
    }

    /// The reply was lost: what it settled must be settled again.
    package mutating func cycleFailed(_ request: CycleRequest) {
        acknowledgements[request.queue, default: []].insert(contentsOf: request.acknowledgements, at: 0)
        hinted.insert(request.queue)
    }

    /// Compares with what Redis says we hold: strangers were claimed by a lost reply and go back.
    package mutating func reconcile(_ held: [Ticket]) {
        var known = claimingTickets
        known.formUnion(toClaim.map(\.id))
        known.formUnion(running.values.compactMap { $0.ticket?.id })
        known.formUnion(results.compactMap { $0.ticket?.id })
        known.formUnion(inLedger)
        known.formUnion(acknowledgements.values.flatMap { $0.map(\.ticket.id) })
        for ticket in held where !known.contains(ticket.id) {
            // A rebuilt Redis knows a handed-over job by its own id.
            if running[ticket.id] != nil { running[ticket.id]?.ticket = ticket } else { acknowledge(ticket, .handBack) }
        }
        hintAll()
    }

    package mutating func acknowledge(
        _ ticket: Ticket,
        _ operation: Acknowledgement.Operation,
        _ milliseconds: Int = 0
    ) {
        let acknowledgement = Acknowledgement(ticket, operation, milliseconds: milliseconds)
        acknowledgements[ticket.queue, default: []].append(acknowledgement)
    }

    /// There is something to tell Redis, or to ask it for.
    package var wantsCycle: Bool { !acknowledgements.isEmpty || (free > 0 && !hinted.isEmpty) }

    /// Redis is another one now: it knows nothing of what we would tell it.
    package mutating func dropAcknowledgements() {
        acknowledgements = [:]
    }

    // MARK: Ledger

    /// Asks for claims without Redis in the next trip.
    package mutating func claimWithoutRedis() {
        want = free
    }

    package mutating func nextBatch() -> Batch {
        var batch = Batch()
        for result in results.prefix(1000) {
            if result.job.settlement == .done { batch.finished.append(result) } else { batch.others.append(result) }
            inLedger.insert(result.job.id)
        }
        results.removeFirst(min(1000, results.count))
        batch.tickets = toClaim
        batch.want = quiet ? 0 : min(want, free)
        claiming += toClaim.count + batch.want
        claimingTickets.formUnion(toClaim.map(\.id))
        toClaim = []
        want = 0
        return batch
    }

    package mutating func batchFailed(_ batch: Batch) {
        claiming -= batch.tickets.count + batch.want
        for ticket in batch.tickets { claimingTickets.remove(ticket.id) }
        for result in batch.finished + batch.others { inLedger.remove(result.job.id) }
        results.insert(contentsOf: batch.finished + batch.others, at: 0)
        if quiet {
            for ticket in batch.tickets { acknowledge(ticket, .handBack) }
        } else {
            toClaim.insert(contentsOf: batch.tickets, at: 0)
        }
    }

    /// - Parameters:
    ///   - counted: settled ids that the fence let through, with the moment a waiting one is due again (-1: none).
    ///   - waiting: of the ids that could not be claimed, those that wait for a later moment.
    package mutating func batchDone(
        _ batch: Batch,
        counted: [Int: Int],
        claimed: Set<Int>,
        waiting: [Int: Int]
    ) {
        claiming -= batch.tickets.count + batch.want
        for result in batch.finished + batch.others {
            inLedger.remove(result.job.id)
            guard let ticket = result.ticket else { continue }
            guard ticket.id == result.job.id else {
                // The ticket is that of the chain's first job. If this one waits again, the sweep tells Redis of it.
                acknowledge(ticket, .finished, result.milliseconds)
                continue
            }
            switch (counted[result.job.id], result.job.settlement) {
            // Fenced: the job belongs to somebody else. If it has ended, its next claim finds that out.
            case (nil, _), (_, .handBack): acknowledge(ticket, .handBack, result.milliseconds)
            case (let due?, _) where due >= 0: acknowledge(ticket, .again(due: due), result.milliseconds)
            default: acknowledge(ticket, .finished, result.milliseconds)
            }
        }
        for ticket in batch.tickets {
            claimingTickets.remove(ticket.id)
            guard !claimed.contains(ticket.id) else { continue }
            acknowledge(ticket, waiting[ticket.id].map { .again(due: $0) } ?? .finished)
        }
    }

    // MARK: Execution

    /// Of claimed jobs, those that may start. A worker runs one suspect at a time, so that a job that kills workers is found
    /// out without taking innocent ones along; further suspects are put back for a moment, and nothing is counted.
    package mutating func admit(_ claimed: [ClaimedJob], tickets: [Int: Ticket]) -> [ClaimedJob] {
        var hasSuspect = running.values.contains { $0.job.losses >= Reaper.suspectFrom }
        return claimed.filter { job in
            guard job.losses >= Reaper.suspectFrom else { return true }
            guard hasSuspect else {
                hasSuspect = true
                return true
            }
            let wait = Settlement.snooze(after: .milliseconds(200), error: nil)
            let settled = SettledJob(id: job.id, attempt: job.attempt, settlement: wait)
            results.append(Result(job: settled, ticket: tickets[job.id]))
            return false
        }
    }

    package mutating func started(_ job: ClaimedJob, _ ticket: Ticket?, deadline: ContinuousClock.Instant) {
        running[job.id] = Running(job: job, ticket: ticket, deadline: deadline)
    }

    /// - Returns: whether the job shall be cancelled at once.
    package mutating func attach(
        _ job: Int,
        _ attempt: Int,
        cancel: @escaping @Sendable (Interruption) -> Void
    ) -> Bool {
        guard running[job]?.job.attempt == attempt else { return false }
        running[job]?.cancel = cancel
        return doomed.remove(job) != nil
    }

    /// How to cancel those jobs. One that is just being handed over, or started, is cancelled when it has a task; the books
    /// of others' jobs are dropped with the next heartbeat.
    package mutating func cancel(_ ids: [Int]) -> [@Sendable (Interruption) -> Void] {
        ids.compactMap { id in
            if running[id]?.cancel == nil { doomed.insert(id) }
            return running[id]?.cancel
        }
    }

    /// - Parameter cancelled: what the ledger says of the jobs under this session.
    package mutating func forgetDoomed(except cancelled: [Int]) {
        doomed.formIntersection(cancelled)
    }

    /// - Parameters:
    ///   - settlement: nil when the job has settled itself.
    ///   - milliseconds: how long it held its slot.
    ///   - followUps: jobs that its settlement handed over, with their deadlines.
    /// - Returns: those of the follow-ups that start now.
    package mutating func ended(
        _ job: ClaimedJob,
        _ settlement: Settlement?,
        fenced: Bool,
        milliseconds: Int = 0,
        followUps: [(job: ClaimedJob, deadline: ContinuousClock.Instant)] = []
    ) -> [ClaimedJob] {
        guard let entry = running.removeValue(forKey: job.id) else { return [] }
        // The first follow-up keeps the ticket: for Redis the tenant's place stays taken until the chain ends.
        var ticket = entry.ticket
        let took = entry.milliseconds + milliseconds
        var started: [ClaimedJob] = []
        for next in followUps {
            if quiet {
                let back = SettledJob(id: next.job.id, attempt: next.job.attempt, settlement: .handBack)
                results.append(Result(job: back, ticket: nil))
            } else {
                running[next.job.id] = Running(
                    job: next.job,
                    ticket: ticket,
                    deadline: next.deadline,
                    milliseconds: took
                )
                started.append(next.job)
                ticket = nil
            }
        }
        if let settlement {
            let settled = SettledJob(
                id: job.id,
                attempt: job.attempt,
                settlement: settlement,
                hasFollowers: job.hasFollowers
            )
            results.append(Result(job: settled, ticket: ticket, milliseconds: took))
        } else if let ticket {
            acknowledge(ticket, fenced && ticket.id == job.id ? .handBack : .finished, took)
        }
        return started
    }

    /// Whether a follow-up of this job may run here at once: there is room, nothing is known to wait in its queue, and the
    /// job is not suspected of killing workers.
    package func mayContinue(_ job: ClaimedJob) -> Bool {
        !quiet && free > 0 && toClaim.isEmpty && !hinted.contains(job.queue) && job.losses == 0
    }

    package func overdue(now: ContinuousClock.Instant) -> [Running] {
        running.values.filter { $0.deadline <= now }
    }

    package mutating func extendDeadline(_ job: Int, to deadline: ContinuousClock.Instant) {
        running[job]?.deadline = deadline
    }

    /// Of the ids that the ledger books as running under this session, those nobody here knows.
    package func strangers(among ids: [Int]) -> Set<Int> {
        Set(ids).subtracting(running.keys).subtracting(inLedger).subtracting(claimingTickets)
            .subtracting(results.map(\.job.id))
    }

}
