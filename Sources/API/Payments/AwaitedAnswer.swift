import Domain
import FoundationEssentials
import Jobs
import PostgresClient
import Queue

/// Asks a worker for something that the caller waits for.
///
/// The job is committed at once, also where the request runs in a transaction with its stored answer: a worker could
/// not see it otherwise. So the request must bear that the job was done and its own transaction was not.
struct AwaitedAnswer: Sendable {
    let queue: JobQueue
    /// How long to wait.
    let patience: Duration

    /// How the job ended; nil where it has not within the patience. Then it goes on, and nobody hears its answer.
    func end(of job: some Job, tenant: Tenant.ID) async throws -> JobEnd? {
        try await queue.postgres.apart {
            guard let id = try await queue.enqueue(job, tenant: tenant.rawValue) else { return nil }
            do {
                return try await queue.result(of: id, within: patience)
            } catch is ResultError {
                return nil
            }
        }
    }

    /// One text of the job's answer.
    ///
    /// - Throws: 503 where there is none in time, or Stripe refused.
    func text(_ member: String, of job: some Job, tenant: Tenant.ID) async throws -> String {
        guard case .done(let result?) = try await end(of: job, tenant: tenant),
            let text = try JSON(parsing: Data(result.utf8))[member]?.stringValue
        else { throw APIError.unavailable }
        return text
    }
}
