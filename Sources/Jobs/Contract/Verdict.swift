import Domain
package import Queue

/// The deciding half of the worker: from how an attempt ended to what the ledger shall say. Pure.
package enum Verdict {
    /// What an attempt came to.
    package enum Ending: Sendable {
        case returned(Outcome)
        case threw(any Error)
        case timedOut(Duration)
        /// An operator or a caller asked for it.
        case cancelled
        /// The worker is shutting down, or lost its lease.
        case interrupted
        /// This worker does not know the kind, or cannot decode the payload.
        case unreadable(String)
    }

    /// - Parameter jitter: 0...1, for the backoff.
    /// - Returns: nil when the job has settled itself.
    package static func settlement(
        of ending: Ending,
        job: ClaimedJob,
        retry: RetryPolicy,
        jitter: Double
    ) -> Settlement? {
        switch ending {
        case .returned(.done): .done
        case .returned(.answer(let json)): finished(json.text)
        case .returned(.settled): nil
        case .returned(.snooze(let delay, let reason)): .snooze(after: delay, error: reason)
        case .returned(.retry(let delay, let error)):
            job.failures + 1 < job.maxAttempts ? .retry(after: delay, error: error) : .dead(.failed, error: error)
        case .returned(.cancel(let reason)): .cancelled(reason)
        case .returned(.refuse(let reason)): .dead(.refused, error: reason)
        case .threw(let error): failed(String(describing: error), job, retry, jitter)
        case .timedOut(let limit): failed("did not finish within \(limit)", job, retry, jitter)
        case .cancelled: .cancelled("cancelled on request")
        case .interrupted: .handBack
        case .unreadable(let why): putBack(why, job)
        }
    }

    /// Bytes of JSON that a job may answer with.
    package static let longestAnswer = 65_536

    /// An answer that the ledger cannot keep is refused here: it would hold up the results of other jobs.
    private static func finished(_ answer: String) -> Settlement {
        guard answer.utf8.count <= longestAnswer else {
            let size = "\(answer.utf8.count) bytes"
            return .dead(
                .refused,
                error: "its answer has \(size), at most \(longestAnswer) are kept: answer with an id"
            )
        }
        guard !answer.contains("\\u0000") else {
            return .dead(.refused, error: "its answer has the character NUL, which Postgres does not keep in JSON")
        }
        return .finished(result: answer)
    }

    private static func failed(
        _ error: String,
        _ job: ClaimedJob,
        _ retry: RetryPolicy,
        _ jitter: Double
    ) -> Settlement {
        guard let delay = retry.delay(afterFailures: job.failures + 1, of: job.maxAttempts, jitter: jitter) else {
            return .dead(.failed, error: error)
        }
        return .retry(after: delay, error: error)
    }

    /// Attempts in a row that no worker could read, about an hour of them, after which a job is dead.
    private static let mostUnreadable = 65

    /// During a rolling deploy a newer worker may read what this one cannot, so it counts as no failure. About an hour later
    /// nobody came: it is dead. Only such attempts are counted; a job that was snoozed a hundred times has the hour still.
    private static func putBack(_ why: String, _ job: ClaimedJob) -> Settlement {
        let count = job.unreadable + 1
        guard count < mostUnreadable else { return .dead(.unreadable, error: why) }
        return .unreadable(after: .seconds(min(60, 1 << min(count - 1, 6))), error: why)
    }
}
