import Domain
import FoundationEssentials
import Queue
import Stores

/// `/api/v1/tasks` (contract T-10 to T-17, S-41).
struct CollectionTaskRoutes: Routes {
    let stores: Stores
    let queue: JobQueue
    /// Nil where Stripe is not connected.
    let payments: PaymentJobs?

    var table: [Route] {
        [
            .post("/api/v1/tasks", access: .tasksWrite, finish: addPage, use: create),
            .get("/api/v1/tasks", access: .tasksRead, use: list),
            .get("/api/v1/tasks/:id", access: .tasksRead, use: show),
            .post("/api/v1/tasks/:id/cancel", access: .tasksWrite, use: cancel),
            .get("/api/v1/tasks/:id/submissions", access: .tasksRead, use: submissions),
        ]
    }

    @Sendable
    func create(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let draft = try CollectionTaskStore.Draft(await request.object())
        let task = try await queue.transaction { transaction in
            let task = try await stores.collectionTasks.create(draft, for: caller, in: transaction.sql)
            try await payments?.checkout(task, transaction)
            return task
        }
        return .created(data: task.row)
    }

    /// Waits a moment for the new task's page. The task stands whatever becomes of it: its own job asks for it again
    /// (decision D-62).
    @Sendable
    func addPage(_ request: APIRequest, _ response: APIResponse) async -> APIResponse {
        guard let payments, let made = try? JSON(parsing: Data(response.text.utf8))["data"]?["id"]?.stringValue,
            var task = try? await stores.collectionTasks.find(ID(made), for: request.caller)
        else { return response }
        if task.status == .funding, task.fundingURL == nil {
            task.fundingURL = try? await payments.fundingURL(task)
        }
        return task.fundingURL == nil ? response : .created(data: task.row)
    }

    @Sendable
    func list(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let page = try ListPage(request.query)
        if let after = page.page.after {
            guard try await stores.collectionTasks.find(ID(after), for: caller) != nil else {
                throw ListPage.unknownStart
            }
        }
        let found = try await stores.collectionTasks.list(page.page, for: caller)
        return page.answer(
            found.rows.map(\.row),
            at: "/api/v1/tasks",
            last: found.rows.last?.id.rawValue,
            hasMore: found.hasMore
        )
    }

    @Sendable
    func show(_ request: APIRequest) async throws -> APIResponse {
        .ok(data: try await task(request).row)
    }

    @Sendable
    func cancel(_ request: APIRequest) async throws -> APIResponse {
        let task = try await task(request)
        let caller = try request.caller
        let ended = try await queue.transaction { transaction in
            let cancelled = try await stores.collectionTasks.cancel(task.id, for: caller, in: transaction.sql)
            guard let cancelled else { return CollectionTask?.none }
            if cancelled.isRefundable { try await payments?.refund(cancelled.task, transaction) }
            if cancelled.isUnpaid { try await payments?.closePage(cancelled.task, transaction) }
            return cancelled.task
        }
        guard let cancelled = ended else {
            let now = try await self.task(request).status
            throw APIError.conflict("The task is \(now.rawValue) already")
        }
        return .ok(data: cancelled.row)
    }

    @Sendable
    func submissions(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let task = try await task(request)
        let page = try ListPage(request.query)
        if let after = page.page.after {
            let start = try await stores.submissions.find(ID(after), for: caller)
            guard start?.task == task.id else { throw ListPage.unknownStart }
        }
        let found = try await stores.submissions.list(of: task.id, page.page, for: caller)
        return page.answer(
            found.rows.map(\.row),
            at: "/api/v1/tasks/\(task.id)/submissions",
            last: found.rows.last?.id.rawValue,
            hasMore: found.hasMore
        )
    }

    /// - Throws: 404 where it is unknown, another tenant's or of the other mode.
    private func task(_ request: APIRequest) async throws -> CollectionTask {
        guard let task = try await stores.collectionTasks.find(request.id(), for: request.caller) else {
            throw APIError.noRoute
        }
        return task
    }
}
