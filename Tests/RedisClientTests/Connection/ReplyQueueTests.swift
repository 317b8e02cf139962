import NIOCore
import TestSupport
import Testing

@testable import RedisClient

/// The matching of replies to callers, with numbers for callers and a clock that we turn.
struct ReplyQueueTests {
    private var queue = ReplyQueue<Int>(address: "here", silenceLimit: .seconds(1))

    private func at(_ milliseconds: Int) -> NIODeadline {
        .uptimeNanoseconds(UInt64(10_000 + milliseconds) * 1_000_000)
    }

    private mutating func add(_ caller: Int, at start: Int, timeout: Int = 100, commands: Int = 1) {
        let request = RedisRequest(
            Array(repeating: ["PING"], count: commands),
            timeout: .milliseconds(timeout),
            started: at(start)
        )
        queue.add(request, token: UInt64(caller), waiter: caller, now: at(start))
    }

    private mutating func receive(_ number: Int) -> (caller: Int, outcomes: [RedisOutcome])? {
        guard case .completed(let done) = queue.receive(.integer(number)) else { return nil }
        return (done.waiter, done.outcomes)
    }

    @Test("Replies go to the callers in the order of the commands")
    mutating func order() {
        for caller in 1...3 { add(caller, at: 0) }
        for caller in 1...3 {
            let done = receive(caller * 10)
            #expect(done?.caller == caller)
            #expect(done?.outcomes == [.success(.integer(caller * 10))])
        }
        #expect(queue.isEmpty && queue.nextCheck == nil)
    }

    @Test("A request of several commands is complete with its last reply, errors among them")
    mutating func several() {
        add(1, at: 0, commands: 3)
        let error = RedisError.server("ERR no", at: "here")
        #expect(receive(1) == nil)
        guard case .kept = queue.receive(.error(error)) else { return #expect(Bool(false), "too early") }
        #expect(receive(3)?.outcomes == [.success(.integer(1)), .failure(error), .success(.integer(3))])
    }

    @Test("A reply that nothing asked for is noticed")
    mutating func unasked() {
        guard case .unasked = queue.receive(.null) else { return #expect(Bool(false), "taken") }
    }

    @Test("The late reply of a caller who ran out of time is dropped in order")
    mutating func late() {
        add(1, at: 0, timeout: 100)
        add(2, at: 10, timeout: 500)
        #expect(queue.nextCheck == at(100))
        let verdict = queue.check(at(100))
        #expect(verdict.overdue.map(\.waiter) == [1])
        #expect(verdict.overdue.first?.outcomes == [.failure(.timeout(at: "here", afterMilliseconds: 100))])
        #expect(!verdict.isSilent)
        #expect(queue.nextCheck == at(510))
        #expect(receive(1) == nil)
        #expect(receive(2)?.caller == 2)
    }

    @Test("A cancelled caller is let go once; its reply is dropped in order")
    mutating func cancelled() {
        add(1, at: 0)
        add(2, at: 0)
        #expect(queue.cancel(1)?.outcomes == [.failure(.cancelled(at: "here", mayHaveRun: true))])
        #expect(queue.cancel(1) == nil)
        #expect(receive(1) == nil)
        #expect(receive(2)?.caller == 2)
        #expect(queue.cancel(2) == nil)
    }

    @Test("Who leaves in the middle of several replies gets those that came, and the rest is dropped")
    mutating func partial() {
        add(1, at: 0, commands: 3)
        add(2, at: 0, timeout: 500)
        #expect(receive(1) == nil)
        let overdue = queue.check(at(100)).overdue.first?.outcomes
        let missing = RedisOutcome.failure(.timeout(at: "here", afterMilliseconds: 100))
        #expect(overdue == [.success(.integer(1)), missing, missing])
        #expect(receive(2) == nil)
        #expect(receive(3) == nil)
        #expect(receive(4)?.caller == 2)
    }

    @Test(
        "A connection that stays silent beyond the limit after a timeout is given up, an impatient caller alone is not"
    )
    mutating func silence() {
        add(1, at: 0, timeout: 100)
        #expect(!queue.check(at(100)).isSilent)
        #expect(queue.nextCheck == at(1000))
        #expect(!queue.check(at(999)).isSilent)
        #expect(queue.check(at(1000)).isSilent)
    }

    @Test("Any byte counts as a sign of life")
    mutating func life() {
        add(1, at: 0, timeout: 100)
        _ = queue.check(at(100))
        queue.heard(at(900))
        #expect(!queue.check(at(1000)).isSilent)
        #expect(queue.nextCheck == at(1900))
        #expect(queue.check(at(1900)).isSilent)
    }

    @Test("A slow command within its own deadline does not count as silence, though those behind it run out of time")
    mutating func slowScript() {
        add(1, at: 0, timeout: 60_000)
        add(2, at: 0, timeout: 100)
        let verdict = queue.check(at(5000))
        #expect(verdict.overdue.map(\.waiter) == [2])
        #expect(!verdict.isSilent)
        #expect(queue.nextCheck == at(60_000))
    }

    @Test("When the connection is lost, callers learn whether their command had left")
    mutating func lost() {
        add(1, at: 0)
        queue.markWritten()
        add(2, at: 0)
        let lost = queue.failAll(because: "gone")
        #expect(lost.map(\.waiter) == [1, 2])
        #expect(lost.first?.outcomes == [.failure(.connectionLost(to: "here", because: "gone"))])
        #expect(lost.last?.outcomes == [.failure(.notConnected(to: "here", because: "gone"))])
        #expect(queue.isEmpty && queue.nextCheck == nil)
    }

    @Test("A thousand callers who leave at random mix up nobody's reply", arguments: 1...5)
    mutating func random(seed: Int) {
        var dice = SplitMix(seed: UInt64(seed))
        var waiting: Set<Int> = []
        var sent = 0
        var answered = 0
        while answered < 1000 {
            switch Int.random(in: 0..<4, using: &dice) {
            case 0, 1:
                guard sent < 1000 else { continue }
                sent += 1
                waiting.insert(sent)
                add(sent, at: 0, timeout: 1_000_000)
            case 2:
                guard let one = waiting.randomElement(using: &dice), Int.random(in: 0..<3, using: &dice) == 0 else {
                    continue
                }
                #expect(queue.cancel(UInt64(one))?.waiter == one)
                waiting.remove(one)
            default:
                guard answered < sent else { continue }
                answered += 1
                let wanted = waiting.remove(answered)
                #expect(receive(answered)?.caller == wanted)
            }
        }
        #expect(queue.isEmpty && waiting.isEmpty)
    }
}
