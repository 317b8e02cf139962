package import Queue
private import Synchronization

/// What must be undone where the follow-up that it was meant for does not begin here.
package protocol Abandonable: Sendable {
    func abandon() async
}

/// Lets a job's own worker go on with the job that follows from it, in the slot that comes free.
package final class HandOver: Sendable {
    private let offer: @Sendable () -> Int?
    /// What the predecessor brought along for this job.
    package let brought: (any Sendable)?
    private let jobs = Mutex<[ClaimedJob]>([])
    private let parcel = Mutex<(any Sendable)?>(nil)

    /// - Parameter offer: the session that would take a follow-up at once; nil when others should have their turn first.
    package init(brought: (any Sendable)? = nil, offer: @escaping @Sendable () -> Int?) {
        self.brought = brought
        self.offer = offer
    }

    package static let none = HandOver { nil }

    package var session: Int? { offer() }

    func accept(_ claimed: [ClaimedJob]) {
        jobs.withLock { $0 += claimed }
    }

    /// What the follow-up will find as ``brought``. It is a hint: whoever uses it must not trust it more than its guards.
    func send(along parcel: some Sendable) {
        self.parcel.withLock { $0 = parcel }
    }

    package var sent: (any Sendable)? { parcel.withLock { $0 } }

    /// What was handed over, once.
    package func take() -> [ClaimedJob] {
        jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
    }
}
