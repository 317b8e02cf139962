import Domain
import Jobs
import Queue
import Stores

/// `POST /api/engagements/:id/deliverables/:document/rerun` (contract S-33): one document is made anew, as a run of its
/// own.
struct RerunRoutes: Routes {
    let stores: Stores
    let queue: JobQueue

    /// Characters of feedback at most.
    private static let feedbackLimit = 10_000

    var table: [Route] {
        [.post("/api/engagements/:id/deliverables/:document/rerun", tier: .engine, use: rerun)]
    }

    /// Answers once the run and its first job are committed; a crew does the rest.
    @Sendable
    func rerun(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let (id, document): (Engagement.ID, Deliverable.ID) = (request.id(), request.id("document"))
        guard try await stores.deliverables.one(document, in: id, caller.tenant) != nil else { throw APIError.noRoute }
        let feedback = try Self.feedback(await request.optionalObject()["feedback"])
        let crew = StartCrew.policy.queue.rawValue
        let overload = try await queue.backpressure.verdict(on: crew, tenant: caller.tenant.rawValue)
        let outcome = try await queue.transaction { transaction in
            let outcome = try await stores.runs.rerun(
                document,
                of: id,
                feedback: feedback,
                for: caller,
                in: transaction.sql
            )
            if case .started(let run) = outcome {
                if let overload { throw overload }
                try await transaction.enqueue(
                    StartCrew(run: run),
                    tenant: caller.tenant.rawValue,
                    uniqueKey: StartCrew.uniqueKey(run)
                )
                try await AnnounceRun.finish(transaction, .started, of: run)
            }
            return outcome
        }
        let run = try Self.started(outcome)
        queue.dispatch.notices.tell(of: [id.rawValue])
        return .ok(["runId": .string(run.rawValue), "status": "running", "message": "Rerun started"])
    }

    private static func started(_ outcome: RunStore.Rerun) throws -> Run.ID {
        switch outcome {
        case .started(let run): return run
        case .notFound: throw APIError.noRoute
        case .noSubscription: throw APIError.noSubscription
        case .alreadyRunning: throw APIError.conflict("Engagement is already running")
        case .paused: throw APIError.conflict("Engagement is paused. Resume or stop it first.")
        case .noTask: throw APIError.conflict("No task has written this file, so it cannot be made anew")
        case .budgetSpent(let spent, let budget):
            throw APIError.conflict("Budget exceeded ($\(spent.cents) of $\(budget.cents))")
        }
    }

    private static func feedback(_ value: JSON?) throws -> String? {
        guard let value, value != .null else { return nil }
        guard let text = value.stringValue, text.count <= feedbackLimit else {
            throw APIError.invalid("feedback must be a text of at most \(feedbackLimit) characters")
        }
        return text.contains { !$0.isWhitespace } ? text : nil
    }
}
