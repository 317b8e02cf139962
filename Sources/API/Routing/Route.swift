import Domain
import HTTPTypes

/// One row of a feature's table: how it is called, who may call it and how often, and what answers.
///
/// Access is a column, so a route without it does not compile, and the whole surface can be read as a list.
struct Route: Sendable {
    /// Who may call.
    enum Access: Sendable {
        /// Anybody, without a credential.
        case open
        case read
        case write
        /// Anybody with a session.
        case session
        /// Who may read, and contributors: for what is about the caller alone.
        case profile
        /// Admins and the owner, with a session.
        case admin
        /// The scope `webhooks:write`.
        case webhooks
        /// The scope `tasks:read`.
        case tasksRead
        /// The scope `tasks:write`.
        case tasksWrite
        /// Contributors, with a session.
        case contributor
    }

    let method: HTTPRequest.Method
    /// `/api/engagements/:id`
    let path: String
    let access: Access
    /// Nil is the family's own (contract X-7).
    var tier: RateTier?
    /// It reads its body as it comes, and sees to `Idempotency-Key` itself.
    var streams = false
    /// It waits for a job, so it is not one transaction with its stored answer: see ``Idempotency``.
    var waits = false
    /// Makes a good answer whole once the request is committed, and waits for what that takes: without a transaction, within
    /// ``IdempotencyStore/finishLimit``. Where the process dies over it, a request with the same `Idempotency-Key` does it.
    var finish: (@Sendable (APIRequest, APIResponse) async -> APIResponse)?
    var answer: @Sendable (APIRequest) async throws -> APIResponse

    static func get(
        _ path: String,
        access: Access = .read,
        tier: RateTier? = nil,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .get, path: path, access: access, tier: tier, answer: answer)
    }

    /// Answers to POSTs are repeated to callers that send the same `Idempotency-Key` again: see ``Idempotency``.
    static func post(
        _ path: String,
        access: Access = .write,
        tier: RateTier? = nil,
        finish: (@Sendable (APIRequest, APIResponse) async -> APIResponse)? = nil,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .post, path: path, access: access, tier: tier, finish: finish, answer: answer)
    }

    /// A POST whose body is too large to be held.
    static func upload(
        _ path: String,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .post, path: path, access: .write, streams: true, answer: answer)
    }

    /// A POST that waits for a job.
    static func waiting(
        _ path: String,
        access: Access = .write,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .post, path: path, access: access, waits: true, answer: answer)
    }

    static func put(
        _ path: String,
        access: Access = .write,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .put, path: path, access: access, streams: true, answer: answer)
    }

    static func patch(
        _ path: String,
        access: Access = .write,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .patch, path: path, access: access, answer: answer)
    }

    static func delete(
        _ path: String,
        access: Access = .write,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .delete, path: path, access: access, answer: answer)
    }

    /// The answer, whole.
    func whole(_ request: APIRequest) async throws -> APIResponse {
        let response = try await answer(request)
        guard let finish, response.status.kind == .successful else { return response }
        return await finish(request, response)
    }

    /// What the route counts against: its own tier, else its family's.
    var effectiveTier: RateTier {
        if let tier { return tier }
        if path.hasPrefix("/api/v1/agent/") { return .agent }
        if Family(path: path) == .collection { return .collection }
        return method == .get ? .read : .api
    }
}

/// A feature's endpoints, as a table.
protocol Routes: Sendable {
    var table: [Route] { get }
}
