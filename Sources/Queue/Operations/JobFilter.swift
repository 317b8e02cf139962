import PostgresClient

/// Which jobs an operator means. Fields that are nil match everything; all others must match.
package struct JobFilter: Sendable, Equatable {
    package var ids: [Int]?
    package var queue: String?
    package var kind: String?
    package var tenant: String?
    package var state: JobState?
    package var deadReason: DeadReason?
    /// Part of the last error's text, in any case.
    package var errorContains: String?
    /// Only jobs whose last event (their end, else their creation) is longer ago than this.
    package var olderThan: Duration?
    /// Only jobs whose last event is not longer ago than this.
    package var since: Duration?
    /// At most so many, lowest ids first.
    package var limit: Int?

    /// Every job there is.
    package init() {}

    package init(ids: [Int]) {
        self.ids = ids
    }

    /// Nothing narrows it down: it means every job there is.
    package var isEverything: Bool {
        var bare = self
        bare.limit = nil
        return bare == JobFilter()
    }

    var condition: SQL {
        """
        (\(ids)::bigint[] IS NULL OR id = ANY (\(ids)::bigint[]))
        AND (\(queue)::text IS NULL OR queue = \(queue)) AND (\(kind)::text IS NULL OR kind = \(kind))
        AND (\(tenant)::text IS NULL OR tenant = \(tenant)) AND (\(state)::text IS NULL OR state = \(state))
        AND (\(deadReason)::text IS NULL OR dead_reason = \(deadReason))
        AND (\(errorContains)::text IS NULL OR position(lower(\(errorContains)) IN lower(error)) > 0)
        AND (\(olderThan?.milliseconds)::bigint IS NULL OR coalesce(finished_at, created_at)
             < clock_timestamp() - \(olderThan?.milliseconds)::bigint * interval '1 millisecond')
        AND (\(since?.milliseconds)::bigint IS NULL OR coalesce(finished_at, created_at)
             >= clock_timestamp() - \(since?.milliseconds)::bigint * interval '1 millisecond')
        """
    }
}

/// What an operator does to many jobs at once.
package enum BulkAction: Sendable, Equatable {
    /// Dead jobs wait again. Their attempt goes on, failures and losses begin at 0, their error stays until they end.
    ///
    /// - Parameter perSecond: spread over time, so many a second; nil is all at once.
    case retry(perSecond: Double?)
    /// Waiting jobs become cancelled; dead ones are deleted.
    case drop
    /// Waiting jobs become cancelled; running ones are asked to end.
    case cancel

    /// The states of jobs that it can do something to.
    package var states: [JobState] {
        switch self {
        case .retry: [.dead]
        case .drop: [.queued, .dead]
        case .cancel: [.queued, .running]
        }
    }
}

/// So many jobs of one kind, in one state, would be touched.
package struct BulkGroup: Sendable, Equatable {
    package let queue: String
    package let kind: String
    package let state: JobState
    package let count: Int

    package init(queue: String, kind: String, state: JobState, count: Int) {
        self.queue = queue
        self.kind = kind
        self.state = state
        self.count = count
    }
}

/// What a bulk action did.
package struct BulkOutcome: Sendable, Equatable {
    /// Jobs that were retried, deleted, cancelled or asked to end.
    package var changed = 0
    /// Of those, running ones that were asked to end: they do so as soon as they listen.
    package var requested = 0
    /// Left as they were: another job with their unique key waits or runs.
    package var conflicts: [Int] = []

    /// Nothing was done yet.
    package init() {}
}

extension JobState: PostgresDecodable {}
