import Crew
import Domain
import Testing

@Suite("The fault table")
struct FaultPolicyTests {
    private func verdict(
        _ fault: ModelFault,
        _ history: StepHistory = StepHistory(),
        jitter: Double = 0.5
    ) -> StepVerdict {
        FaultPolicy.verdict(on: fault, history: history, jitter: jitter)
    }

    private static let passing: [ModelFault] = [
        .server(status: 500), .server(status: 502), .server(status: 504),
        .server(status: 408), .network("reset"), .timeout(.connect), .timeout(.firstByte), .timeout(.silence),
        .timeout(.total), .truncated, .empty,
    ]

    @Test("A rate limit of a minute or less pauses the key for everybody, and the first five do not count")
    func rateLimit() {
        let wait = Duration.seconds(3)
        for uncounted in 0..<5 {
            let verdict = verdict(.rateLimited(retryAfter: wait), StepHistory(uncounted: uncounted))
            #expect(verdict == StepVerdict(.retry(after: .seconds(3.5), isCounted: false), mark: .pause(wait)))
        }
        let sixth = verdict(.rateLimited(retryAfter: wait), StepHistory(uncounted: 5))
        #expect(sixth.action == .retry(after: .seconds(3.5), isCounted: true))
        let last = verdict(.rateLimited(retryAfter: .seconds(60)), StepHistory(failures: 4, uncounted: 5))
        #expect(last.mark == .pause(.seconds(60)))
        guard case .failTask = last.action else { return #expect(Bool(false), "the fifth counted one ends the task") }
    }

    @Test("No retry comes before the wait is over, and at most a second after it")
    func never() {
        for jitter in [0, 0.25, 0.999] {
            let verdict = verdict(.rateLimited(retryAfter: .seconds(10)), jitter: jitter)
            guard case .retry(let after, _) = verdict.action else { return #expect(Bool(false)) }
            #expect(after >= .seconds(10) && after < .seconds(11))
        }
    }

    @Test("A rate limit that names no time backs off by itself")
    func unnamed() {
        let waits = (0..<6).map { verdict(.rateLimited(retryAfter: nil), StepHistory(uncounted: $0)).mark }
        #expect(waits == [1, 2, 4, 8, 16, 16].map { StepVerdict.Mark.pause(.seconds($0)) })
    }

    @Test(
        "A long wait or an empty account is no rate limit: another provider, else the run fails",
        arguments: [ModelFault.rateLimited(retryAfter: .seconds(61)), .quota]
    )
    func quota(fault: ModelFault) {
        #expect(verdict(fault).action == .failRun("Provider quota exhausted"))
        #expect(verdict(fault, StepHistory(canFailOver: true)).action == .failover)
    }

    @Test("What may pass is tried again with full jitter over 1, 2, 4, 8 s", arguments: passing)
    func triedAgain(fault: ModelFault) {
        for (failures, bound) in [1, 2, 4, 8].enumerated() {
            let verdict = verdict(fault, StepHistory(failures: failures), jitter: 0.5)
            #expect(verdict == StepVerdict(.retry(after: .seconds(bound) / 2, isCounted: true), mark: .fault))
        }
    }

    @Test("After five attempts or ten minutes another provider is tried, else the task fails", arguments: passing)
    func exhausted(fault: ModelFault) {
        for history in [StepHistory(failures: 4), StepHistory(failures: 1, elapsed: .seconds(600))] {
            let text = "\(fault); given up after \(history.failures + 1) attempts"
            #expect(verdict(fault, history) == StepVerdict(.failTask(text), mark: .fault))
            var other = history
            other.canFailOver = true
            #expect(verdict(fault, other) == StepVerdict(.failover, mark: .fault))
        }
    }

    @Test("An overloaded provider that names a time is not asked before it, by anybody")
    func overloaded() {
        #expect(verdict(.overloaded(retryAfter: .seconds(20))).mark == .pause(.seconds(20)))
        #expect(verdict(.overloaded(retryAfter: .seconds(9_999))).mark == .pause(.seconds(60)))
        let unnamed = verdict(.overloaded(retryAfter: nil), StepHistory(failures: 2))
        #expect(unnamed == StepVerdict(.retry(after: .seconds(2), isCounted: true), mark: .pause(.seconds(2))))
        let last = verdict(.overloaded(retryAfter: nil), StepHistory(failures: 4))
        guard case .failTask = last.action else { return #expect(Bool(false), "five attempts are enough") }
        #expect(verdict(.overloaded(retryAfter: .seconds(20))).action == .retry(after: .seconds(20), isCounted: true))
        #expect(
            verdict(.overloaded(retryAfter: .seconds(9_999))).action == .retry(after: .seconds(60), isCounted: true)
        )
    }

    @Test("A prompt that is too long is shrunk once")
    func context() {
        #expect(verdict(.contextTooLong(limit: 8_192)).action == .shrink)
        let again = verdict(.contextTooLong(limit: 8_192), StepHistory(hasShrunk: true))
        #expect(again.action == .failTask("the prompt is too long for the model (8192 tokens)"))
    }

    @Test("What will never work is not tried again, and the provider's words are kept")
    func never4xx() {
        let text = "the provider did not accept the request: status 404: no such model"
        #expect(verdict(.badRequest("status 404: no such model")) == StepVerdict(.failTask(text)))
        #expect(verdict(.refused("filter")).action == .failTask("the provider refused: filter"))
        #expect(verdict(.badRequest("x"), StepHistory(canFailOver: true)).mark == nil)
    }

    @Test("F5: rejected credentials lead to another provider, else the run fails; nobody asks with this key again")
    func credentials() {
        #expect(verdict(.auth) == StepVerdict(.failRun("Provider credentials rejected"), mark: .down))
        #expect(verdict(.auth, StepHistory(canFailOver: true)) == StepVerdict(.failover, mark: .down))
    }

    @Test("A wrong form is repaired once, then done without a model")
    func form() {
        #expect(verdict(.invalidOutput("no id")).action == .repair("no id"))
        #expect(verdict(.invalidOutput("no id"), StepHistory(hasRepaired: true)).action == .fallback)
    }

    @Test("A cancelled call asks for nothing more")
    func cancelled() {
        #expect(verdict(.cancelled(partialOutputBytes: 5)) == StepVerdict(.abandon))
    }

    @Test("A text cut off at the limit is continued once, then taken with a remark")
    func finish() {
        #expect(FinishPolicy.verdict(on: .stop, continuations: 0) == .accept)
        #expect(FinishPolicy.verdict(on: .length, continuations: 0) == .resume)
        let note = FinishPolicy.verdict(on: .length, continuations: 1)
        #expect(note == .acceptWithNote("> This document was cut off at the length limit."))
        guard case .acceptWithNote = FinishPolicy.verdict(on: .filter, continuations: 0) else {
            return #expect(Bool(false))
        }
    }
}
