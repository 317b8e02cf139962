package import Queue
private import Synchronization

/// Lets a job's own worker go on with the job that follows from it, in the slot that comes free.
package final class HandOver: Sendable {
    private let offer: @Sendable () -> Int?
    private let jobs = Mutex<[ClaimedJob]>([])

    /// - Parameter offer: the session that would take a follow-up at once; nil when others should have their turn first.
    package init(offer: @escaping @Sendable () -> Int?) {
        self.offer = offer
    }

    package static let none = HandOver { nil }

    package var session: Int? { offer() }

    func accept(_ claimed: [ClaimedJob]) {
        jobs.withLock { $0 += claimed }
    }

    /// What was handed over, once.
    package func take() -> [ClaimedJob] {
        jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
    }
}
