/// Jobs that belong together, and the jobs that follow from their ends. Each of the three is enqueued at most once.
package struct NewBatch: Sendable {
    /// For people.
    package var name: String
    package var tenant: String
    /// When all jobs have ended, and all of them are done. Not where one failed.
    package var onAll: NewJob?
    /// As soon as the first one is dead, cancelled or deleted.
    package var onAnyFailed: NewJob?
    /// When the last one has ended, however they ended.
    package var onLast: NewJob?

    package init(
        name: String,
        tenant: String = "",
        onAll: NewJob? = nil,
        onAnyFailed: NewJob? = nil,
        onLast: NewJob? = nil
    ) {
        self.name = name
        self.tenant = tenant
        self.onAll = onAll
        self.onAnyFailed = onAnyFailed
        self.onLast = onLast
    }
}

/// A batch as it stands.
package struct BatchView: Sendable, Equatable {
    package enum State: String, Sendable {
        /// Jobs may be added; it cannot be done.
        case open
        /// Sealed, and some of its jobs have not ended.
        case running
        case done
    }

    package let id: Int
    package let name: String
    package let tenant: String
    package let state: State
    package let total: Int
    package let pending: Int
    /// Dead, cancelled or deleted.
    package let failed: Int
    /// Ids of the callbacks' jobs, once they are enqueued.
    package let allJob: Int?
    package let anyFailedJob: Int?
    package let lastJob: Int?

    /// 0 to 1: the share of its jobs that have ended.
    package var progress: Double { total == 0 ? (state == .done ? 1 : 0) : Double(total - pending) / Double(total) }
}
