/// A job on its way into the ledger. The queue reads the label and never opens the payload.
package struct NewJob: Sendable {
    package var kind: String
    package var queue: String
    /// Whose work it is; empty for the house itself.
    package var tenant: String
    /// 0 (a user is waiting) to 9 (housekeeping).
    package var priority: Int
    /// JSON, ids only, at most 64 KiB.
    package var payload: String
    /// How long it waits at least.
    package var delay: Duration
    /// Failures after which it is dead.
    package var maxAttempts: Int
    /// While a queued or running job has this key, another one with it is not added.
    package var uniqueKey: String?
    /// Any other rule; then ``uniqueKey`` is not used.
    package var uniqueness: Uniqueness?
    /// The open batch that it belongs to.
    package var batch: Int?
    /// Ids of the jobs that must end first. It is cancelled when one of them does not end well, unless ``evenIfFailed``.
    package var after: [Int]
    package var evenIfFailed: Bool
    /// Of the jobs of its tenant and queue with this key only so many run at once.
    package var concurrency: ConcurrencyKey?

    package init(
        kind: String,
        queue: String,
        tenant: String = "",
        priority: Int = 5,
        payload: String = "{}",
        delay: Duration = .zero,
        maxAttempts: Int = 8,
        uniqueKey: String? = nil,
        uniqueness: Uniqueness? = nil,
        batch: Int? = nil,
        after: [Int] = [],
        evenIfFailed: Bool = false,
        concurrency: ConcurrencyKey? = nil
    ) {
        self.kind = kind
        self.queue = queue
        self.tenant = tenant
        self.priority = priority
        self.payload = payload
        self.delay = delay
        self.maxAttempts = maxAttempts
        self.uniqueKey = uniqueKey
        self.uniqueness = uniqueness
        self.batch = batch
        self.after = after
        self.evenIfFailed = evenIfFailed
        self.concurrency = concurrency
    }
}

/// What Redis is told about a waiting job.
package struct JobHint: Sendable, Hashable {
    package let id: Int
    package let queue: String
    package let tenant: String
    package let priority: Int
    /// Milliseconds since 1970; 0 is now.
    package let due: Int
    package let key: ConcurrencyKey?

    package init(id: Int, queue: String, tenant: String, priority: Int, due: Int, key: ConcurrencyKey? = nil) {
        self.id = id
        self.queue = queue
        self.tenant = tenant
        self.priority = priority
        self.due = due
        self.key = key
    }

    /// Ten priorities share four classes in Redis: 0-1, 2-4, 5-6, 7-9.
    package static func dispatchClass(of priority: Int) -> Int {
        switch priority {
        case ...1: 0
        case 2...4: 1
        case 5...6: 2
        default: 3
        }
    }

    var record: JobRecord { JobRecord(tenant: tenant, dispatchClass: Self.dispatchClass(of: priority), key: key) }
}

/// A claimed job, in the hands of one worker.
package struct ClaimedJob: Sendable {
    package let id: Int
    /// The fencing token: only the holder of the newest one can settle the job.
    package let attempt: Int
    package let kind: String
    package let payload: String
    package let queue: String
    package let tenant: String
    package let failures: Int
    package let maxAttempts: Int
    /// Attempts that took their worker down. A job with two is a suspect, and a worker runs one suspect at a time.
    package let losses: Int
    /// Attempts in a row that no worker could read.
    package let unreadable: Int
    /// It is in a batch, or other jobs wait for it: its end has consequences that Redis should hear of soon.
    package let hasFollowers: Bool

    package init(
        id: Int,
        attempt: Int,
        kind: String,
        payload: String,
        queue: String,
        tenant: String,
        failures: Int,
        maxAttempts: Int,
        losses: Int = 0,
        unreadable: Int = 0,
        hasFollowers: Bool = false
    ) {
        self.id = id
        self.attempt = attempt
        self.kind = kind
        self.payload = payload
        self.queue = queue
        self.tenant = tenant
        self.failures = failures
        self.maxAttempts = maxAttempts
        self.losses = losses
        self.unreadable = unreadable
        self.hasFollowers = hasFollowers
    }
}
