import Domain
import FoundationEssentials
import Jobs
import Queue
import Stores

/// `POST /api/engagements/:id/attachments/from-url` (contract ): waits for a worker to fetch the page.
struct FromURLRoutes: Routes {
    let stores: Stores
    let queue: JobQueue
    /// Where pages may come from; the worker asks again, for every address that a name leads to.
    let addresses: AddressGuard
    let throttle: DenialThrottle

    /// How long a request waits for its page (decision D-47).
    private static let patience = Duration.seconds(20)

    var table: [Route] {
        [.waiting("/api/engagements/:id/attachments/from-url", use: fetch)]
    }

    @Sendable
    func fetch(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let engagement: Engagement.ID = request.id()
        guard try await stores.attachments.plan(for: engagement, caller.tenant) != nil else { throw Self.noEngagement }
        try await throttle.check(caller.tenant)
        let (url, category) = try await draft(try await request.object(), caller.tenant)
        let job = FetchURL(
            engagement: engagement,
            tenant: caller.tenant,
            user: caller.user,
            url: url,
            category: category,
            once: request.onceKey
        )
        switch try await outcome(of: job, caller.tenant, request) {
        case .stored(let key):
            let all = try await stores.attachments.list(engagement, caller.tenant)
            guard let attachment = all?.first(where: { $0.storageKey == key }) else { throw Self.noEngagement }
            return .created(["attachment": attachment.json])
        case .refused(let reason):
            await throttle.count(reason, of: caller.tenant)
            throw APIError.invalid(reason)
        case .failed(let reason): throw APIError.unprocessable("The url could not be fetched: \(reason)")
        case .full: throw APIError.full("Storage limit exceeded for current plan")
        case .gone: throw Self.noEngagement
        }
    }

    private static let noEngagement = APIError.notFound("Engagement not found")

    /// - Throws: 400
    private func draft(
        _ body: [String: JSON],
        _ tenant: Tenant.ID
    ) async throws -> (url: String, category: Attachment.Category) {
        guard let url = body["url"], url != .null else { throw APIError.invalid("url is required") }
        guard let text = url.stringValue else { throw APIError.invalid("url must be a string") }
        do {
            _ = try GuardedURL(text, for: .page, guard: addresses)
        } catch {
            await throttle.count(error, of: tenant)
            throw APIError.invalid(error.description)
        }
        let named = body["category"] ?? "reference"
        guard let category = named.stringValue.flatMap(Attachment.Category.init(rawValue:)) else {
            throw APIError.invalid("Invalid category")
        }
        return (text, category)
    }

    // MARK: Waiting

    /// - Throws: 503 where no worker has the page in time, 500 where fetching it broke.
    private func outcome(
        of job: FetchURL,
        _ tenant: Tenant.ID,
        _ request: APIRequest
    ) async throws -> FetchOutcome {
        if let known = try await attached(request, tenant) { return known }
        let fetch = FetchURL.policy.queue.rawValue
        if let overload = try await queue.backpressure.verdict(on: fetch, tenant: tenant.rawValue) { throw overload }
        let key = request.onceKey.map { "fetch:\($0)" }
        let added = try await queue.enqueue(job, tenant: tenant.rawValue, uniqueKey: key)
        let known = if let key, added == nil { try await stores.exportFiles.maker(key) } else { added }
        guard let id = known else {
            // It ended between the two questions.
            if let ended = try await attached(request, tenant) { return ended }
            throw APIError.unavailable
        }
        do {
            return try Self.outcome(
                try await request.whileConnected { try await queue.result(of: id, within: Self.patience) }
            )
        } catch {
            // Whoever only joined somebody else's fetch leaves it to them.
            if added != nil { await giveUp(id) }
            guard error is ResultError || error is CancellationError else { throw error }
            // It may have ended at this very moment.
            guard let end = try? await queue.result(of: id, within: .zero) else { throw APIError.unavailable }
            return try Self.outcome(end)
        }
    }

    /// What the same request, sent before, has attached, though its answer was not stored: nobody may have waited for it.
    private func attached(_ request: APIRequest, _ tenant: Tenant.ID) async throws -> FetchOutcome? {
        guard let once = request.onceKey else { return nil }
        return try await stores.fetchedPages.storageKey(of: once, tenant).map { .stored(key: $0) }
    }

    private static func outcome(_ end: JobEnd) throws -> FetchOutcome {
        switch end {
        case .done(let result):
            let json = try result.map { try JSON(parsing: Data($0.utf8)) }
            guard let outcome = json.flatMap(FetchOutcome.init) else { throw APIError.internal }
            return outcome
        case .cancelled, .dead(.refused, _): throw APIError.unavailable
        case .dead: throw APIError.internal
        }
    }

    /// Nobody waits any more: the page must not turn up later (contract A-29).
    private func giveUp(_ job: Int) async {
        let queue = queue
        // The request itself may have been cancelled, and this must be done all the same.
        await Task {
            let reason = "the request that waited for it is over"
            _ = try? await Operations(queue).run(.cancel, JobFilter(ids: [job]), reason: reason)
        }.value
    }
}
