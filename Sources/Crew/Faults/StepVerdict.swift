/// What the queue does with a step whose call failed.
package struct StepVerdict: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        /// The same call later; the reservation is released and the slot is free until then.
        case retry(after: Duration, isCounted: Bool)
        /// The next candidate of the routes, at once.
        case failover
        /// The same call with half the material, at once.
        case shrink
        /// One call that shows the model what was wrong.
        case repair(String)
        /// No model is asked again: the default plan, no score, or plain text.
        case fallback
        /// The task fails; branches that do not need it go on.
        case failTask(String)
        /// The run fails with this error.
        case failRun(String)
        /// The caller stopped it: nothing is to be done but to settle the cost.
        case abandon
    }

    /// What every replica should know about the provider's key.
    package enum Mark: Sendable, Hashable {
        /// No calls with this key until then; the later of two marks holds.
        case pause(Duration)
        /// The credentials are wrong: no calls until the key changes, or an operator lifts the mark.
        case down
        /// Counts towards the breaker: after ``FaultPolicy/breakerThreshold`` in a row only one probe in
        /// ``FaultPolicy/probeEvery`` goes out.
        case fault

        /// Whether it only asks to wait.
        package var isPause: Bool { if case .pause = self { true } else { false } }
    }

    package let action: Action
    package let mark: Mark?

    package init(_ action: Action, mark: Mark? = nil) {
        self.action = action
        self.mark = mark
    }
}

/// What has happened to a step so far.
package struct StepHistory: Sendable, Hashable {
    /// Failed attempts that counted, this one not included.
    package var failures: Int
    /// Retries after a 429 that did not count.
    package var uncounted: Int
    /// Since the first failure.
    package var elapsed: Duration
    package var hasShrunk: Bool
    package var hasRepaired: Bool
    /// Whether the routes have another provider that is up.
    package var canFailOver: Bool

    package init(
        failures: Int = 0,
        uncounted: Int = 0,
        elapsed: Duration = .zero,
        hasShrunk: Bool = false,
        hasRepaired: Bool = false,
        canFailOver: Bool = false
    ) {
        self.failures = failures
        self.uncounted = uncounted
        self.elapsed = elapsed
        self.hasShrunk = hasShrunk
        self.hasRepaired = hasRepaired
        self.canFailOver = canFailOver
    }
}
