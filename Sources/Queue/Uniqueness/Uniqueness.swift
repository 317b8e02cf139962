/// When a second job counts as the same one, and what becomes of it then.
///
/// Keys of different scopes do not meet: a key that waits and the same text as a window are two keys.
package struct Uniqueness: Sendable, Equatable {
    package enum Scope: Sendable, Equatable {
        /// While a job with the key waits for its first start. One that runs, or waits for another attempt, does not count.
        case whileWaiting
        /// While a job with the key is queued or running.
        case untilDone
        /// For so long after a job with the key was enqueued, whatever has become of it; at most 366 days. The key is free
        /// when the period is over, or when the job's row is gone.
        case window(Duration)
    }

    package enum Conflict: String, Sendable, Equatable {
        /// The second one is left out; its caller learns the id of the first.
        case reject
        /// One that waits stands for both. One that runs is run once more when it has ended, with attempts of its own.
        case coalesce
        /// One that waits takes over payload, moment and priority of the second (debounce). One that runs is run once more
        /// with them when it has ended.
        case replace
    }

    /// 1 to 500 bytes.
    package let key: String
    package let scope: Scope
    package let onConflict: Conflict

    package init(_ key: String, scope: Scope = .untilDone, onConflict: Conflict = .reject) {
        self.key = key
        self.scope = scope
        self.onConflict = onConflict
    }
}

/// What became of a job that was to be enqueued.
package enum EnqueueOutcome: Sendable, Equatable {
    case added(Int)
    /// Left out: this one is there already.
    case existing(Int)
    /// This one stands for both; if it was running, it will run once more.
    case coalesced(Int)
    /// This one waits with the new payload and moment.
    case replaced(Int)

    /// The job that is there now.
    package var id: Int {
        switch self {
        case .added(let id), .existing(let id), .coalesced(let id), .replaced(let id): id
        }
    }

    package var wasAdded: Bool { if case .added = self { true } else { false } }
}

/// A job that cannot be enqueued as it is described. The text says what contradicts what.
package struct EnqueueError: Error, CustomStringConvertible, Equatable {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension NewJob {
    /// It needs more than the plain bulk insert.
    var isSpecial: Bool { uniqueness != nil || !after.isEmpty }

    func check() throws(EnqueueError) {
        try concurrency?.check(kind)
        if !after.isEmpty, uniqueness != nil || uniqueKey != nil || delay > .zero {
            throw EnqueueError(
                "a \(kind) that waits for other jobs can be neither unique nor delayed: drop one of them"
            )
        }
        guard let uniqueness else { return }
        guard (1...500).contains(uniqueness.key.utf8.count) else {
            throw EnqueueError(
                "the unique key of a \(kind) has \(uniqueness.key.utf8.count) bytes: it must have 1 to 500"
            )
        }
        if case .window(let window) = uniqueness.scope, window <= .zero || window > .seconds(366 * 86_400) {
            throw EnqueueError(
                "the unique window of a \(kind) is \(window): it must be more than 0 and at most 366 days"
            )
        }
    }
}
