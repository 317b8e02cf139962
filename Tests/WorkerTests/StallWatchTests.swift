import Testing

@testable import Worker

@Suite("A worker that takes nothing")
struct StallWatchTests {
    private let start = ContinuousClock.now

    @Test("It is suspected after 15 s without a claim, first mended, then given up")
    func stalls() {
        var watch = StallWatch(now: start)
        #expect(!watch.isSuspicious(now: start + .seconds(14)))
        #expect(watch.isSuspicious(now: start + .seconds(15)))
        #expect(watch.judge(oldest: .seconds(20), now: start + .seconds(15)) == .rebuild)
        #expect(!watch.isSuspicious(now: start + .seconds(29)))
        #expect(watch.judge(oldest: .seconds(35), now: start + .seconds(30)) == .giveUp)
    }

    @Test("Without work that waits, or with a claim in between, all is well")
    func well() {
        var watch = StallWatch(now: start)
        #expect(watch.judge(oldest: nil, now: start + .seconds(15)) == .fine)
        #expect(watch.judge(oldest: .seconds(3), now: start + .seconds(30)) == .fine)
        #expect(watch.judge(oldest: .seconds(20), now: start + .seconds(45)) == .rebuild)
        watch.allIsWell(now: start + .seconds(46))
        #expect(watch.judge(oldest: .seconds(20), now: start + .seconds(61)) == .rebuild)
    }
}
