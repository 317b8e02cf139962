/// How one attempt of a job ended, as the ledger writes it down.
package enum Settlement: Sendable, Equatable {
    case done
    /// Done, and this JSON text is what came of it.
    case finished(result: String)
    /// It failed; another attempt after this long. Counts towards `max_attempts`.
    case retry(after: Duration, error: String)
    /// Not yet: again after this long, nothing is counted.
    case snooze(after: Duration, error: String?)
    /// This worker cannot read it; another one may, after this long. Counted by itself, and not as an attempt.
    case unreadable(after: Duration, error: String)
    case dead(DeadReason, error: String)
    case cancelled(String)
    /// Given up unrun, or cut short by a shutdown: at once again, nothing is counted.
    case handBack

    /// The job's state afterwards.
    package var state: JobState {
        switch self {
        case .done, .finished: .done
        case .retry, .snooze, .unreadable, .handBack: .queued
        case .dead: .dead
        case .cancelled: .cancelled
        }
    }

    var counted: Bool {
        switch self {
        case .retry, .dead(.failed, _): true
        default: false
        }
    }

    var isUnreadable: Bool { if case .unreadable = self { true } else { false } }

    var delay: Duration {
        switch self {
        case .retry(let delay, _), .snooze(let delay, _), .unreadable(let delay, _): delay
        default: .zero
        }
    }

    var error: String? {
        switch self {
        case .retry(_, let error), .unreadable(_, let error), .dead(_, let error), .cancelled(let error): error
        case .snooze(_, let error): error
        case .done, .finished, .handBack: nil
        }
    }
}

/// Where a job is. The strings are stored; docs/queue.md has the diagram.
package enum JobState: String, Sendable, CaseIterable {
    case queued, running, done, dead, cancelled

    package var isTerminal: Bool { self == .done || self == .dead || self == .cancelled }
}

/// Why a job will not be tried again. The strings are stored.
package enum DeadReason: String, Sendable, CaseIterable {
    /// It failed as often as it may.
    case failed
    /// It took its worker down three times while the fleet was healthy.
    case poison
    /// No worker could read its kind or its payload for a long time.
    case unreadable
    /// The job itself said that trying again cannot help.
    case refused
}
