import NIOCore
import Testing

@testable import RedisClient

struct ReconnectPlanTests {
    private typealias Plan = ReconnectPlan<String, Int>

    private func code(_ plan: Plan) -> RedisError.Code? {
        if case .refused(let error) = plan.route { error.code } else { nil }
    }

    private func waits(_ plan: Plan) -> Bool { if case .wait = plan.route { true } else { false } }

    @Test("Callers wait for the first attempt and get its connection")
    func firstAttempt() {
        var plan = Plan(patience: .firstAttempt, address: "here")
        #expect(waits(plan) && plan.epoch == 0)
        plan.wait(1, 11)
        #expect(plan.succeeded("a") == [11])
        #expect(plan.connection == "a" && plan.epoch == 1)
    }

    @Test("After a first attempt that failed, callers fail at once with the reason")
    func afterFailure() {
        var plan = Plan(patience: .firstAttempt, address: "here")
        plan.wait(1, 11)
        #expect(plan.failed(because: "nobody home", jitter: 1)?.waiters == [11])
        #expect(code(plan) == .disconnected(sent: false))
        #expect(plan.resume() && !plan.resume())
        #expect(code(plan) == .disconnected(sent: false))
    }

    @Test("A patient client's callers wait for every attempt")
    func everyAttempt() {
        var plan = Plan(patience: .everyAttempt, address: "here")
        _ = plan.failed(because: "nobody home", jitter: 1)
        #expect(waits(plan))
        plan.wait(2, 22)
        #expect(plan.leave(2) == 22 && plan.leave(2) == nil)
    }

    @Test("The epoch rises with every connect, and the pause grows only while attempts fail")
    func epochs() {
        var plan = Plan(patience: .firstAttempt, address: "here")
        _ = plan.succeeded("a")
        #expect(plan.lost(epoch: 1, because: "gone", jitter: 1) == .milliseconds(50))
        _ = plan.resume()
        #expect(plan.failed(because: "no", jitter: 1)?.retry == .milliseconds(50))
        _ = plan.resume()
        #expect(plan.failed(because: "no", jitter: 1)?.retry == .milliseconds(100))
        _ = plan.resume()
        _ = plan.succeeded("b")
        #expect(plan.epoch == 2)
        #expect(plan.lost(epoch: 2, because: "gone", jitter: 1) == .milliseconds(50))
    }

    @Test("A loss that is already known changes nothing")
    func knownLoss() {
        var plan = Plan(patience: .firstAttempt, address: "here")
        _ = plan.succeeded("a")
        #expect(plan.lost(epoch: 1, because: "gone", jitter: 0) != nil)
        #expect(plan.lost(epoch: 1, because: "gone", jitter: 0) == nil)
        _ = plan.resume()
        _ = plan.succeeded("b")
        #expect(plan.lost(epoch: 1, because: "gone", jitter: 0) == nil)
        #expect(plan.connection == "b")
    }

    @Test("A closed client wants no connection any more")
    func closed() {
        var plan = Plan(patience: .everyAttempt, address: "here")
        plan.wait(1, 11)
        #expect(plan.close().waiters == [11])
        #expect(code(plan) == .closed)
        #expect(plan.succeeded("a") == nil && plan.failed(because: "no", jitter: 0) == nil && !plan.resume())
        #expect(plan.close().connection == nil)
    }

    @Test("The pause doubles from 50 ms to 2 s; half to all of it is waited")
    func backoff() {
        let whole = (0...8).map { Backoff.delay(after: $0, jitter: 1) }
        #expect(whole == [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000].map { .milliseconds($0) })
        #expect(Backoff.delay(after: 0, jitter: 0) == .milliseconds(25))
        #expect(Backoff.delay(after: 1000, jitter: 0) == .seconds(1))
    }
}
