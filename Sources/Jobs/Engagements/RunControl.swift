package import Domain
private import PostgresClient
package import Queue
import Stores

/// What callers may do to a run that is under way. Each is one transaction with its events and its jobs; workers are told
/// after the commit.
package struct RunControl: Sendable {
    package enum Outcome: Sendable, Equatable {
        case done(Run.ID)
        case notFound
        /// The run is in no state for it.
        case wrongState
    }

    private let queue: JobQueue

    package init(_ queue: JobQueue) {
        self.queue = queue
    }

    /// The run fails with ``RunControls/stopped``. Calls to models are broken off, and late results are refused.
    package func stop(_ id: Engagement.ID, for caller: Caller) async throws -> Outcome {
        let (outcome, jobs) = try await queue.transaction { transaction in
            switch try await RunControls.lock(id, for: caller, in: transaction.sql) {
            case .notFound: return (Outcome.notFound, EndedJobs())
            case .idle: return (.wrongState, EndedJobs())
            case .run(let run, _):
                let jobs = try await Self.write(RunControls.stop(run), ending: true, of: run, in: transaction)
                try await AnnounceRun.finish(transaction, .failed, of: run)
                return (.done(run), jobs)
            }
        }
        await tell(jobs)
        return outcome
    }

    /// No step begins any more; one that is in flight may finish, and opens nothing.
    package func pause(_ id: Engagement.ID, for caller: Caller) async throws -> Outcome {
        let (outcome, jobs) = try await queue.transaction { transaction in
            switch try await RunControls.lock(id, for: caller, in: transaction.sql) {
            case .notFound: return (Outcome.notFound, EndedJobs())
            case .idle, .run(_, .paused), .run(_, .completed), .run(_, .failed): return (.wrongState, EndedJobs())
            case .run(let run, .running):
                let jobs = try await Self.write(RunControls.pause(run), ending: false, of: run, in: transaction)
                return (.done(run), jobs)
            }
        }
        await tell(jobs)
        return outcome
    }

    /// The same run goes on: ready tasks get their jobs, and a run that finished its last task while paused ends.
    ///
    /// - Throws: ``QueueClosed`` where an operator closed the crew's queue; the run stays paused.
    package func resume(_ id: Engagement.ID, for caller: Caller) async throws -> Outcome {
        let outcome: Outcome = try await queue.transaction { transaction in
            switch try await RunControls.lock(id, for: caller, in: transaction.sql) {
            case .notFound: return .notFound
            case .idle, .run(_, .running), .run(_, .completed), .run(_, .failed): return .wrongState
            case .run(let run, .paused):
                let planned = try await transaction.sql.query("SELECT 1 FROM run_tasks WHERE run_id = \(run) LIMIT 1")
                if planned.first == nil {
                    let start = StartCrew(run: run)
                    try await transaction.enqueue(
                        start,
                        tenant: caller.tenant.rawValue,
                        uniqueKey: StartCrew.uniqueKey(run)
                    )
                }
                let names = [StartCrew.policy.queue.rawValue]
                try await transaction.finish(
                    ["SELECT queues_open(\(names)::text[])"] + RunControls.resume(run),
                    enqueuing: [
                        CrewFollowUps.next(of: run), CrewFollowUps.observations(of: run),
                        CrewFollowUps.revisions(of: run),
                    ]
                )
                return .done(run)
            }
        }
        if case .done(let run) = outcome {
            let notices = queue.dispatch.notices
            await queue.postgres.afterCommit { notices.tell(of: [run.rawValue]) }
        }
        return outcome
    }

    // MARK: Jobs

    /// Jobs that a control ended, or asked to end.
    private struct EndedJobs: Sendable {
        var waiting: [(id: Int, queue: String)] = []
        var running: [RunningJob] = []
        /// Whose streams have news.
        var run: Run.ID?

        init() {}

        init(_ result: PostgresResult, of run: Run.ID) throws {
            self.run = run
            for row in result {
                let (id, queue, session) = try row.decode(Int.self, String.self, Int?.self)
                if let session {
                    running.append(RunningJob(id: id, queue: queue, session: session))
                } else {
                    waiting.append((id, queue))
                }
            }
        }
    }

    /// - Parameter ending: whether jobs that run are asked to end too.
    private static func write(
        _ statements: [SQL],
        ending: Bool,
        of run: Run.ID,
        in transaction: QueueTransaction
    ) async throws -> EndedJobs {
        let results = try await transaction.sql.pipeline(statements + [endJobs(of: run, alsoRunning: ending)])
        return try results.last.map { try EndedJobs($0, of: run) } ?? EndedJobs()
    }

    /// Waiting jobs of the run are cancelled; running ones are asked to end.
    private static func endJobs(of run: Run.ID, alsoRunning: Bool) -> SQL {
        """
        UPDATE jobs SET cancel_requested = true, error = 'the run was stopped or paused',
          state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END,
          finished_at = CASE WHEN state = 'queued' THEN clock_timestamp() END
        WHERE state = ANY (CASE WHEN \(alsoRunning) THEN ARRAY['queued','running'] ELSE ARRAY['queued'] END)
          AND state IN ('queued','running') AND unique_key IS NOT NULL
          AND unique_key IN (SELECT 'step:' || run_id || ':' || task_id FROM run_tasks WHERE run_id = \(run)
                             UNION ALL SELECT 'observe:' || run_id || ':' || task_id FROM run_tasks
                               WHERE run_id = \(run) AND observation = 'pending'
                             UNION ALL SELECT 'revise:' || run_id || ':' || task_id FROM run_tasks
                               WHERE run_id = \(run) AND revision = 'pending'
                             UNION ALL VALUES (\(StartCrew.uniqueKey(run))), (\("finish:\(run)")))
        RETURNING id, queue, session
        """
    }

    private func tell(_ jobs: EndedJobs) async {
        let queue = queue
        await queue.postgres.afterCommit {
            if let run = jobs.run { queue.dispatch.notices.tell(of: [run.rawValue]) }
            await queue.dispatch.requestCancels(jobs.running)
            for (name, waiting) in Dictionary(grouping: jobs.waiting, by: \.queue) {
                await queue.dispatch.forget(waiting.map(\.id), queue: name)
            }
        }
    }
}
