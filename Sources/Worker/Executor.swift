package import Jobs
package import Logging
package import Queue

/// Runs one claimed job and says how it ended. Never throws: whatever a job does, the worker goes on.
package struct Executor: Sendable {
    private let queue: JobQueue
    private let services: JobServices
    private let logger: Logger
    /// Where its jobs report how far they are.
    package let progress = ProgressBoard()

    package init(queue: JobQueue, services: JobServices, logger: Logger) {
        self.queue = queue
        self.services = services
        self.logger = logger
    }

    /// How an attempt ended, before the retry policy is asked.
    package enum Result: Sendable {
        case ended(Verdict.Ending)
        case fenced
    }

    package func policy(of job: ClaimedJob) -> JobPolicy? {
        JobKind(rawValue: job.kind)?.job.policy
    }

    package func execute(_ claimed: ClaimedJob, handOver: HandOver = .none) async -> Result {
        guard let kind = JobKind(rawValue: claimed.kind) else {
            return .ended(.unreadable("this worker does not know the kind \(claimed.kind)"))
        }
        let job: any Job
        do {
            job = try kind.job.decode(claimed.payload)
        } catch {
            return .ended(.unreadable("the payload of \(claimed.kind) cannot be read: \(error)"))
        }
        return await run(job, claimed, handOver)
    }

    private func run(_ job: any Job, _ claimed: ClaimedJob, _ handOver: HandOver) async -> Result {
        var logger = logger
        logger[metadataKey: "job"] = "\(claimed.id)"
        logger[metadataKey: "kind"] = "\(claimed.kind)"
        logger[metadataKey: "attempt"] = "\(claimed.attempt)"
        do {
            let context = JobContext(
                job: claimed,
                queue: queue,
                services: services,
                logger: logger,
                handOver: handOver,
                progress: progress
            )
            return .ended(.returned(try await job.run(context)))
        } catch let moot as Moot {
            return .ended(.returned(.cancel(moot.description)))
        } catch is Fenced {
            logger.warning("a result was refused: another attempt owns the job")
            return .fenced
        } catch {
            return .ended(.threw(error))
        }
    }
}
