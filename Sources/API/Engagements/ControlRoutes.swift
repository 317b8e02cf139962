import Domain
import Jobs
import Queue
import Stores

/// `POST /api/engagements/:id/stop`, `/pause` and `/resume` (contract E-29 to E-37).
struct ControlRoutes: Routes {
    let queue: JobQueue

    var table: [Route] {
        [
            .post("/api/engagements/:id/stop", use: stop),
            .post("/api/engagements/:id/pause", use: pause),
            .post("/api/engagements/:id/resume", use: resume),
        ]
    }

    @Sendable
    func stop(_ request: APIRequest) async throws -> APIResponse {
        let outcome = try await RunControl(queue).stop(request.id(), for: request.caller)
        return try answer(outcome, .failed, "Engagement stopped", otherwise: "Engagement is not running")
    }

    @Sendable
    func pause(_ request: APIRequest) async throws -> APIResponse {
        let outcome = try await RunControl(queue).pause(request.id(), for: request.caller)
        return try answer(outcome, .paused, "Engagement paused", otherwise: "Engagement is not running")
    }

    @Sendable
    func resume(_ request: APIRequest) async throws -> APIResponse {
        do {
            let outcome = try await RunControl(queue).resume(request.id(), for: request.caller)
            return try answer(outcome, .running, "Engagement resumed", otherwise: "Engagement is not paused")
        } catch let error as QueueClosed {
            throw APIError(error)
        }
    }

    private func answer(
        _ outcome: RunControl.Outcome,
        _ status: Run.Status,
        _ message: String,
        otherwise: String
    ) throws -> APIResponse {
        switch outcome {
        case .done(let run):
            .ok(["runId": .string(run.rawValue), "status": .string(status.rawValue), "message": .string(message)])
        case .notFound: throw APIError.noRoute
        case .wrongState: throw APIError.conflict(otherwise)
        }
    }
}
