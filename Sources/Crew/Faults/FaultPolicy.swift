package import Domain

/// The fault table (engine 3.6): the one place that says what follows from a failed call. Pure.
package enum FaultPolicy {
    /// Counted attempts of one call before another provider is tried or the task fails.
    package static let attempts = 5
    /// The longest that attempts of one call may stretch.
    package static let patience = Duration.seconds(600)
    /// A longer wait than this is no rate limit but an empty account.
    package static let longestPause = Duration.seconds(60)
    /// Retries after a 429 that do not count.
    package static let freeRetries = 5
    /// Faults in a row that open the breaker.
    package static let breakerThreshold = 5
    /// How often an open breaker lets a probe through.
    package static let probeEvery = Duration.seconds(10)

    /// Why a run fails whose provider does not know the key.
    package static let rejected = "Provider credentials rejected"

    /// What to do about a fault.
    ///
    /// - Parameters:
    ///   - fault: what the provider threw.
    ///   - history: what has happened to the step before.
    ///   - jitter: chance, 0 up to 1; the caller draws it.
    /// - Returns: what to do with the step, and what to tell the other replicas about the provider.
    package static func verdict(on fault: ModelFault, history: StepHistory, jitter: Double) -> StepVerdict {
        switch fault {
        case .rateLimited(let wait): rateLimited(wait, history, jitter)
        case .quota: outOfMoney(history)
        case .overloaded(let wait): overloaded(wait, history, jitter)
        case .server, .network, .timeout, .truncated, .empty: passing(fault, history, jitter, atLeast: nil)
        case .contextTooLong: StepVerdict(history.hasShrunk ? .failTask("\(fault)") : .shrink)
        case .badRequest, .refused: StepVerdict(.failTask("\(fault)"))
        case .auth: StepVerdict(history.canFailOver ? .failover : .failRun(rejected), mark: .down)
        case .invalidOutput(let why): StepVerdict(history.hasRepaired ? .fallback : .repair(why))
        case .cancelled: StepVerdict(.abandon)
        }
    }

    private static func rateLimited(_ wait: Duration?, _ history: StepHistory, _ jitter: Double) -> StepVerdict {
        if let wait, wait > longestPause { return outOfMoney(history) }
        let pause = max(wait ?? backoff(history.uncounted + history.failures), .zero)
        let isCounted = history.uncounted >= freeRetries
        if isCounted, isExhausted(history) { return exhausted(.rateLimited(retryAfter: wait), history, .pause(pause)) }
        return StepVerdict(.retry(after: pause + .seconds(jitter), isCounted: isCounted), mark: .pause(pause))
    }

    private static func outOfMoney(_ history: StepHistory) -> StepVerdict {
        StepVerdict(history.canFailOver ? .failover : .failRun("Provider quota exhausted"))
    }

    /// Everybody leaves the provider alone for a while; the attempt counts all the same.
    private static func overloaded(_ wait: Duration?, _ history: StepHistory, _ jitter: Double) -> StepVerdict {
        let pause = min(wait ?? backoff(history.failures) * jitter, longestPause)
        let verdict = passing(.overloaded(retryAfter: wait), history, jitter, atLeast: wait)
        return StepVerdict(verdict.action, mark: .pause(pause))
    }

    /// Faults that may pass: full jitter over 1, 2, 4, 8, 16 s, but never before the provider's own wait is over.
    private static func passing(
        _ fault: ModelFault,
        _ history: StepHistory,
        _ jitter: Double,
        atLeast wait: Duration?
    ) -> StepVerdict {
        if isExhausted(history) { return exhausted(fault, history, .fault) }
        let delay = backoff(history.failures) * jitter
        let least = min(wait ?? .zero, longestPause)
        return StepVerdict(.retry(after: max(delay, least), isCounted: true), mark: .fault)
    }

    private static func isExhausted(_ history: StepHistory) -> Bool {
        history.failures + 1 >= attempts || history.elapsed >= patience
    }

    private static func exhausted(_ fault: ModelFault, _ history: StepHistory, _ mark: StepVerdict.Mark) -> StepVerdict
    {
        if history.canFailOver { return StepVerdict(.failover, mark: mark) }
        let count = history.failures + 1
        return StepVerdict(.failTask("\(fault); given up after \(count) attempts"), mark: mark)
    }

    private static func backoff(_ failures: Int) -> Duration { .seconds(1 << min(failures, 4)) }
}

/// What to do with an answer that ended where the model did not mean to.
package enum FinishPolicy {
    package enum Verdict: Sendable, Hashable {
        case accept
        /// One more step that goes on from the text.
        case resume
        /// The text is taken with this line added at its end.
        case acceptWithNote(String)
    }

    /// - Parameters:
    ///   - finish: why the text ended.
    ///   - continuations: how often the text has been continued already.
    /// - Returns: whether the text stands, goes on, or stands with a remark.
    package static func verdict(on finish: ModelReply.Finish, continuations: Int) -> Verdict {
        switch finish {
        case .stop: .accept
        case .length where continuations == 0: .resume
        case .length: .acceptWithNote("> This document was cut off at the length limit.")
        case .filter: .acceptWithNote("> The provider withheld the rest of this document.")
        }
    }
}
