import Testing

@testable import Queue
@testable import Worker

/// The books of a session, without clock, server or task.
@Suite("Session state")
struct SessionStateTests {
    private func state(slots: Int = 4) -> SessionState {
        SessionState(slots: slots, queues: [("high", 8), ("low", 1)])
    }

    private func job(_ id: Int, losses: Int = 0) -> ClaimedJob {
        ClaimedJob(
            id: id,
            attempt: 1,
            kind: "k",
            payload: "{}",
            queue: "high",
            tenant: "t",
            failures: 0,
            maxAttempts: 3,
            losses: losses
        )
    }

    @Test("A worker runs one suspect at a time; further ones are put back, not counted")
    func suspects() {
        var state = state()
        #expect(
            state.admit([job(1, losses: 1), job(2, losses: 2), job(3, losses: 2)], tickets: [:]).map(\.id) == [1, 2]
        )
        let back = state.nextBatch().others.map(\.job)
        #expect(back.map(\.id) == [3] && back.first?.settlement.state == .queued)
        state.started(job(2, losses: 2), nil, deadline: .now)
        #expect(state.admit([job(4, losses: 2)], tickets: [:]).isEmpty)
    }

    @Test("At first every queue is asked, and the heavier one gets more of the slots")
    func shares() {
        var state = state(slots: 18)
        let requests = state.nextCycle()
        #expect(requests.map(\.queue) == ["high", "low"])
        #expect(requests.map(\.want) == [16, 2])
    }

    @Test("With one free slot the lighter queue has its turn too")
    func turns() {
        var state = state(slots: 1)
        var asked: Set<String> = []
        for _ in 0..<2 {
            state.hintAll()
            asked.formUnion(state.nextCycle().filter { $0.want > 0 }.map(\.queue))
        }
        #expect(asked == ["high", "low"])
    }

    @Test("Running jobs take slots, and a full session asks for nothing")
    func full() {
        var state = state(slots: 2)
        state.started(job(1), nil, deadline: .now)
        state.started(job(2), nil, deadline: .now)
        #expect(state.free == 0)
        #expect(state.nextCycle().isEmpty)
        _ = state.ended(job(1), .done, fenced: false)
        #expect(state.free == 1)
    }

    @Test("A quiet session claims nothing more, and is idle once its results are written")
    func quiet() {
        var state = state()
        state.started(job(1), nil, deadline: .now)
        state.beQuiet()
        #expect(state.free == 0 && !state.isIdle)
        _ = state.ended(job(1), .done, fenced: false)
        #expect(!state.isIdle)
        let batch = state.nextBatch()
        #expect(batch.finished.map(\.job.id) == [1])
        state.batchDone(batch, counted: [1: -1], claimed: [], waiting: [:])
        #expect(state.isIdle)
    }

    @Test("A batch that could not be written is written again, in the same order")
    func retried() {
        var state = state()
        for id in 1...3 {
            state.started(job(id), nil, deadline: .now)
            _ = state.ended(job(id), .done, fenced: false)
        }
        let first = state.nextBatch()
        #expect(state.nextBatch().isEmpty)
        state.batchFailed(first)
        #expect(state.nextBatch().finished.map(\.job.id) == [1, 2, 3])
    }

    @Test("Results pile up to a bound, then no new work is claimed")
    func backpressure() {
        var state = state(slots: 1)
        for id in 1...4 {
            state.started(job(id), nil, deadline: .now)
            _ = state.ended(job(id), .done, fenced: false)
        }
        #expect(state.free == 0)
        _ = state.nextBatch()
        #expect(state.free == 1)
    }

    @Test("Rows booked under the session that nobody here knows are strangers")
    func strangers() {
        var state = state()
        state.started(job(1), nil, deadline: .now)
        state.started(job(2), nil, deadline: .now)
        _ = state.ended(job(2), .done, fenced: false)
        #expect(state.strangers(among: [1, 2, 3]) == [3])
        _ = state.nextBatch()
        #expect(state.strangers(among: [1, 2, 3]) == [3])
    }

    @Test("Overdue jobs are named, and not again before their new deadline")
    func deadlines() {
        var state = state()
        let now = ContinuousClock.now
        state.started(job(1), nil, deadline: now - .seconds(1))
        state.started(job(2), nil, deadline: now + .seconds(60))
        #expect(state.overdue(now: now).map(\.job.id) == [1])
        state.extendDeadline(1, to: now + .seconds(5))
        #expect(state.overdue(now: now).isEmpty)
    }

    @Test("Each class leads now and then, so that none starves")
    func classes() {
        var state = state(slots: 100)
        var leaders: Set<Character> = []
        for _ in 0..<16 {
            state.hintAll()
            _ = state.nextCycle()
            leaders.insert(state.classOrder.first ?? "?")
        }
        #expect(leaders == ["0", "1", "2", "3"])
    }

    private func ticket(_ id: Int) -> Ticket {
        Ticket(id: id, queue: "high", record: JobRecord(tenant: "t", dispatchClass: 2))
    }

    /// A session that was told that nothing waits, with one job running.
    private func chain() -> SessionState {
        var state = state()
        for request in state.nextCycle() {
            let reply = CycleReply(claims: [], more: false, nextDue: nil, cancellations: [])
            state.cycled(request, reply, now: .now)
        }
        state.started(job(1), ticket(1), deadline: .now)
        return state
    }

    @Test("A follow-up runs at once only where there is room, nothing waits and nobody shuts down")
    func mayContinue() {
        var state = chain()
        #expect(state.mayContinue(job(1)))
        #expect(!state.mayContinue(job(1, losses: 1)))
        state.hint("high")
        #expect(!state.mayContinue(job(1)))
        state = chain()
        for id in 2...4 { state.started(job(id), nil, deadline: .now) }
        #expect(!state.mayContinue(job(1)))
        state = chain()
        state.beQuiet()
        #expect(!state.mayContinue(job(1)))
    }

    @Test("A follow-up keeps its predecessor's ticket, and Redis hears of it when the chain ends")
    func handOver() throws {
        var state = chain()
        let started = state.ended(job(1), nil, fenced: false, followUps: [(job(2), .now)])
        #expect(started.map(\.id) == [2] && state.running[2]?.ticket == ticket(1))
        #expect(state.nextCycle().isEmpty)
        _ = state.ended(job(2), .retry(after: .seconds(1), error: "no"), fenced: false)
        let batch = state.nextBatch()
        state.batchDone(batch, counted: [2: 5], claimed: [], waiting: [:])
        let told = try #require(state.nextCycle().first?.acknowledgements.first)
        guard case .finished = told.operation, told.ticket.id == 1 else {
            Issue.record("the first job's ticket was not finished")
            return
        }
    }

    @Test("A follow-up that arrives during a shutdown is handed back unrun")
    func handOverAtShutdown() {
        var state = chain()
        state.beQuiet()
        #expect(state.ended(job(1), nil, fenced: false, followUps: [(job(2), .now)]).isEmpty)
        let back = state.nextBatch().others.map(\.job)
        #expect(back.map(\.id) == [2] && back.first?.settlement == .handBack)
    }

    @Test("A job whose cancellation arrives while it is being handed over is cancelled as soon as it has a task")
    func cancelledBeforeItsTask() {
        var state = chain()
        #expect(state.cancel([2]).isEmpty)
        _ = state.ended(job(1), nil, fenced: false, followUps: [(job(2), .now)])
        #expect(state.attach(2, 1) { _ in })
        #expect(state.cancel([2]).count == 1)
        #expect(state.cancel([3]).isEmpty)
        state.forgetDoomed(except: [4])
        state.started(job(3), nil, deadline: .now)
        #expect(!state.attach(3, 1) { _ in }, "it was another worker's, and the ledger knows nothing of it here")
    }

    @Test("A rebuilt Redis that knows a handed-over job by its own id is answered with that id")
    func adoptedHandOver() {
        var state = chain()
        _ = state.ended(job(1), nil, fenced: false, followUps: [(job(2), .now)])
        state.reconcile([ticket(2)])
        #expect(state.running[2]?.ticket == ticket(2))
    }

    @Test("The timer is set to the next delayed job, and anew when a sooner one appears")
    func timer() {
        var state = state()
        let now = ContinuousClock.now
        func reply(_ due: Duration?) -> CycleReply {
            CycleReply(claims: [], more: false, nextDue: due, cancellations: [])
        }
        let requests = state.nextCycle()
        #expect(!state.needsTimer)
        state.cycled(requests[0], reply(.seconds(5)), now: now)
        #expect(state.needsTimer && state.armTimer() == now + .seconds(5) && !state.needsTimer)
        state.cycled(requests[1], reply(.seconds(2)), now: now)
        #expect(state.needsTimer && state.armTimer() == now + .seconds(2))
        state.hintDue(now: now + .seconds(2))
        #expect(state.nextCycle().map(\.queue) == ["low"] && state.armTimer() == now + .seconds(5))
    }
}
