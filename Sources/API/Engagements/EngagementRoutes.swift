import Domain
import HTTPTypes
import Jobs
import Queue
import Stores

/// `/api/engagements/…` (contract 1.1).
struct EngagementRoutes: Routes {
    let stores: Stores
    let queue: JobQueue
    let lists: EngagementListCache
    /// `GC_SIMULATE=1`: task items may carry `simulate` (decision D-130).
    let allowSimulation: Bool

    var table: [Route] {
        [
            .get("/api/engagements", use: list),
            .post("/api/engagements", use: create),
            .get("/api/engagements/:id", use: detail),
            .post("/api/engagements/:id/run", tier: .engine, use: start),
            .delete("/api/engagements/:id", use: delete),
            .get("/api/engagements/:id/status", use: status),
            .get("/api/engagements/:id/logs", use: logs),
        ]
    }

    @Sendable
    func list(_ request: APIRequest) async throws -> APIResponse {
        let text = try await lists.text(request.caller.tenant) { engagements in
            JSON.array(engagements.map { .object($0.members) }).text
        }
        return APIResponse(.ok, text: text)
    }

    @Sendable
    func create(_ request: APIRequest) async throws -> APIResponse {
        let draft = try EngagementDraft.parse(await request.object(), allowSimulation: allowSimulation)
        switch try await stores.engagements.create(draft, for: request.caller) {
        case .created(let engagement): return .created(.object(engagement.members))
        case .noSubscription: throw APIError.noSubscription
        case .limitReached(let used, let limit):
            throw APIError.forbidden("Monthly engagement limit reached (\(used)/\(limit))")
        }
    }

    @Sendable
    func detail(_ request: APIRequest) async throws -> APIResponse {
        guard let detail = try await stores.engagements.detail(request.id(), request.caller.tenant) else {
            throw APIError.noRoute
        }
        return .ok(detail.json)
    }

    @Sendable
    func delete(_ request: APIRequest) async throws -> APIResponse {
        let tenant = try request.caller.tenant
        let outcome = try await queue.transaction { transaction in
            let outcome = try await stores.engagements.delete(request.id(), tenant, in: transaction.sql)
            if case .deleted = outcome { try await DeleteBlob.finish(transaction, of: tenant) }
            return outcome
        }
        switch outcome {
        case .deleted: return .ok(["success": true])
        case .notFound: throw APIError.noRoute
        case .running: throw APIError.conflict("Cannot delete a running engagement. Stop it first.")
        }
    }

    /// Answers once the run and its first job are committed; a crew does the rest.
    @Sendable
    func start(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        do {
            return try await start(request.id(), for: caller)
        } catch let error as QueueClosed {
            throw try await refused(APIError(error), request.id(), for: caller)
        } catch let error as Overload where error.whose == .queue {
            let refusal = APIError.engine("the \(error.queue) queue is full")
            throw try await refused(refusal, request.id(), for: caller)
        }
    }

    /// The engine takes no work: run and engagement are failed, and say why (contract E-28, decision O-2).
    private func refused(_ refusal: APIError, _ id: Engagement.ID, for caller: Caller) async throws -> APIError {
        try await stores.runs.refuse(id, for: caller, error: refusal.message)
        return refusal
    }

    private func start(_ id: Engagement.ID, for caller: Caller) async throws -> APIResponse {
        let crew = StartCrew.policy.queue.rawValue
        let overload = try await queue.backpressure.verdict(on: crew, tenant: caller.tenant.rawValue)
        let outcome = try await queue.transaction { transaction in
            let outcome = try await stores.runs.start(id, for: caller, in: transaction.sql)
            if case .started(let run) = outcome {
                // Last of all refusals: what cannot be started is no matter of load.
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
        switch outcome {
        case .started(let run):
            queue.dispatch.notices.tell(of: [id.rawValue])
            return .ok(["runId": .string(run.rawValue), "status": "running", "message": "Engagement started"])
        case .notFound: throw APIError.noRoute
        case .noSubscription: throw APIError.noSubscription
        case .alreadyRunning: throw APIError.conflict("Engagement is already running")
        case .paused: throw APIError.conflict("Engagement is paused. Resume or stop it first.")
        }
    }

    @Sendable
    func status(_ request: APIRequest) async throws -> APIResponse {
        let id: Engagement.ID = request.id()
        guard let status = try await stores.runs.status(id, request.caller.tenant) else { throw APIError.noRoute }
        return .ok([
            "engagementId": .string(id.rawValue), "status": .string(status.engagement.rawValue),
            "estimated_cost": .number(status.spent.dollars), "steps": .integer(status.steps),
            "error": .optional(status.error), "budget": .number(status.budget.dollars),
        ])
    }

    @Sendable
    func logs(_ request: APIRequest) async throws -> APIResponse {
        let id: Engagement.ID = request.id()
        let text = request.query["offset"] ?? "0"
        guard let offset = Int(text), offset >= 0, text.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            guard try await stores.engagements.exists(id, request.caller.tenant) else { throw APIError.noRoute }
            throw APIError.invalid("offset must be a non-negative integer")
        }
        guard let page = try await stores.runs.logs(id, request.caller.tenant, offset: offset) else {
            throw APIError.noRoute
        }
        return .ok([
            "logs": .array(page.lines.map(JSON.string)), "total": .integer(page.total),
            "status": .string(page.status.rawValue),
        ])
    }
}

extension APIError {
    static let noSubscription = APIError.forbidden("Active subscription required")
}
