import Synchronization
import Testing

@testable import PostgresClient

@Suite("Timers of the reactor")
struct TimerQueueTests {
    private final class Done: Sendable {
        let names = Mutex<[Int]>([])
    }

    @Test("they come in the order of their deadlines, not before them, and not when they were cancelled")
    func order() {
        let done = Done()
        var timers = TimerQueue()
        let now = ContinuousClock.now
        var ids: [Int: Int] = [:]
        for offset in Array(0..<1000).shuffled() {
            ids[offset] = timers.add(now + .milliseconds(offset)) { done.names.withLock { $0.append(offset) } }
        }
        for (offset, id) in ids where offset % 10 != 0 { timers.cancel(id) }
        #expect(timers.next() == now)
        while let deed = timers.takeDue(at: now + .milliseconds(500)) { deed() }
        #expect(done.names.withLock { $0 } == Array(stride(from: 0, through: 500, by: 10)))
        #expect(timers.next() == now + .milliseconds(510))
        for id in ids.values { timers.cancel(id) }
        #expect(timers.next() == nil)
        #expect(timers.takeDue(at: now + .seconds(9)) == nil)
    }
}
