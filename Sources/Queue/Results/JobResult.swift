import PostgresClient

/// How a job ended.
package enum JobEnd: Sendable, Equatable {
    /// With the JSON text that it answered, if it did.
    case done(result: String?)
    case dead(DeadReason?, error: String?)
    case cancelled(error: String?)
}

/// There is no result to wait for, or not yet.
package enum ResultError: Error, CustomStringConvertible, Equatable {
    /// No such job: finished ones are kept for a day, dead ones for 14.
    case unknownJob(Int)
    /// It had not ended when the time was over. It goes on all the same.
    case notYet(Int, after: Duration)

    package var description: String {
        switch self {
        case .unknownJob(let id): "There is no job \(id), or it ended so long ago that it was pruned."
        case .notYet(let id, let limit): "Job \(id) has not ended within \(limit). It goes on; ask for it again later."
        }
    }
}

extension JobQueue {
    /// Without notices the ledger is asked this often.
    private static let lookWithoutNotices = Duration.milliseconds(250)
    /// With notices this is only the net under a lost one.
    private static let lookWithNotices = Duration.seconds(2)

    /// Waits until a job has ended.
    ///
    /// - Parameters:
    ///   - id: the job's id; it may have ended already.
    ///   - limit: how long to wait.
    /// - Throws: ``ResultError``; `CancellationError`; `PostgresError` where the ledger cannot be read.
    package func result(of id: Int, within limit: Duration) async throws -> JobEnd {
        let deadline = ContinuousClock.now + limit
        while true {
            var end: JobEnd?
            let left = ContinuousClock.now.duration(to: deadline)
            let pause = dispatch.notices.isSubscribed ? Self.lookWithNotices : Self.lookWithoutNotices
            try await dispatch.notices.wait(for: id, limit: max(.zero, min(left, pause))) {
                end = try await ledger.end(of: id)
                return end != nil
            }
            if let end { return end }
            guard left > .zero else { throw ResultError.notYet(id, after: limit) }
        }
    }

    /// Makes known that jobs have ended, once that is committed: to those who await them, and to Redis the jobs that follow.
    ///
    /// Failing is no error: who awaits looks again, and the sweep finds what Redis does not know.
    ///
    /// - Parameter followed: those of them that are in a batch or that others wait for.
    package func announce(ended: [Int], followed: [Int]) async {
        if !followed.isEmpty, let hints = try? await ledger.followers(of: followed) { await dispatch.push(hints) }
        await dispatch.notices.publish(ended)
    }
}

extension Ledger {
    /// How the job ended; nil while it has not.
    func end(of id: Int) async throws -> JobEnd? {
        let found = try await postgres.query(
            "SELECT state, result::text, dead_reason, error FROM jobs WHERE id = \(id)"
        )
        guard let row = found.first else { throw ResultError.unknownJob(id) }
        let (state, result, reason, error) = try row.decode(String.self, String?.self, String?.self, String?.self)
        switch JobState(rawValue: state) {
        case .done: return .done(result: result)
        case .dead: return .dead(reason.flatMap(DeadReason.init(rawValue:)), error: error)
        case .cancelled: return .cancelled(error: error)
        case .queued, .running, nil: return nil
        }
    }

    /// The waiting jobs that the end of these jobs has brought about: steps and callbacks of batches.
    func followers(of ids: [Int]) async throws -> [JobHint] {
        try Self.hints(
            await postgres.query(
                """
                SELECT id, queue, tenant, priority, CASE WHEN run_at > clock_timestamp()
                       THEN (extract(epoch FROM run_at) * 1000)::bigint ELSE 0 END, \(clause: Self.place)
                FROM jobs WHERE state = 'queued' AND run_at < blocked_until() AND id IN (
                  SELECT job FROM job_dependencies WHERE after = ANY(\(ids)::bigint[])
                  UNION ALL
                  SELECT unnest(ARRAY[all_job, any_failed_job, last_job]) FROM batches
                  WHERE id IN (SELECT batch FROM jobs WHERE id = ANY(\(ids)::bigint[])))
                """
            )
        )
    }
}
