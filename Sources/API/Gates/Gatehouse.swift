import Domain
import HTTPTypes
import Hummingbird
import Logging
import Stores

/// Everything between the router and a route's answer, in the order of contract X-11: credential, rate, role, and then
/// the route, once for each `Idempotency-Key`. What every answer says about limits is added here too.
struct Gatehouse: Sendable {
    let authentication: Authentication
    let limiter: RateLimiter
    let origin: OwnOrigin
    let idempotency: Idempotency
    let walls: TenantWalls
    /// The last address of `X-Forwarded-For` is the caller's: set where a proxy stands in front and writes it.
    let trustsProxy: Bool
    let logger: Logger

    func answer(_ row: Route, _ request: Request, _ context: HouseContext) async -> APIResponse {
        let family = Family(path: request.uri.path)
        var admission: Admission?
        do {
            let identity = try await identify(row, request, context, family, &admission)
            if admission == nil { admission = try await admit(row, identity, request, context, family) }
            return Self.told(try await pass(row, identity, request, context), admission)
        } catch let full as Full {
            return Self.told(APIError.tooMany.response(for: family), full.admission)
        } catch {
            return Self.told(refuse(error, request, context).response(for: family), admission)
        }
    }

    // MARK: Who

    private func identify(
        _ row: Route,
        _ request: Request,
        _ context: HouseContext,
        _ family: Family,
        _ admission: inout Admission?
    ) async throws -> Caller? {
        guard row.access != .open else { return nil }
        do {
            return try await authentication.caller(of: request, family: family)
        } catch let error as APIError where error == .unauthorized {
            // A failed credential counts against its address, which may then not log in for a while.
            admission = await limiter.admit(address(request, context), .auth)
            throw error
        }
    }

    /// Whose answers to whom are counted: the first hop we know.
    private func address(_ request: Request, _ context: HouseContext) -> String {
        if trustsProxy, let last = request.headers[.forwardedFor]?.split(separator: ",").last {
            return "ip:" + last.filter { !$0.isWhitespace }.prefix(64)
        }
        return "ip:" + (context.remoteAddress?.ipAddress ?? "unknown")
    }

    // MARK: How often

    private struct Full: Error {
        let admission: Admission
    }

    private func admit(
        _ row: Route,
        _ identity: Caller?,
        _ request: Request,
        _ context: HouseContext,
        _ family: Family
    ) async throws -> Admission? {
        let principal = identity?.principal ?? address(request, context)
        guard let admission = await limiter.admit(principal, row.effectiveTier) else { return nil }
        guard admission.isAdmitted else { throw Full(admission: admission) }
        return admission
    }

    private static func told(_ response: APIResponse, _ admission: Admission?) -> APIResponse {
        var response = response
        admission?.tell(&response.headers)
        if response.status == .unauthorized { response.headers[.retryAfter] = nil }
        return response
    }

    // MARK: What

    private func pass(
        _ row: Route,
        _ identity: Caller?,
        _ request: Request,
        _ context: HouseContext
    ) async throws -> APIResponse {
        let parameters = Dictionary(
            context.parameters.map { (String($0.key), String($0.value)) },
            uniquingKeysWith: { first, _ in first }
        )
        // Postgres has no text with this character, so nothing has it in its id.
        let mayExist = !parameters.values.contains { $0.utf8.contains(0) }
        let writes = row.method != .get && row.method != .head
        if writes, identity.map({ $0.key == nil }) ?? true { try origin.check(request) }
        if let identity {
            try row.access.check(identity)
            try row.checkEngagement(identity, id: parameters["id"])
        }
        guard mayExist else { throw APIError.noRoute }
        let row = walls.around(row, for: identity)
        let asked = APIRequest(
            request,
            parameters: parameters,
            identity: identity,
            channel: context.remoteAddress == nil ? nil : context.channel
        )
        guard row.method == .post, !row.streams, let identity, let key = request.headers[.idempotencyKey] else {
            return try await row.whole(asked)
        }
        return try await idempotency.answer(row, asked, request, key: key, caller: identity) { error in
            refuse(error, request, context).response(for: Family(path: request.uri.path))
        }
    }

    /// What the caller hears of an error. Those that are ours are logged, without credentials or query.
    private func refuse(_ error: any Error, _ request: Request, _ context: HouseContext) -> APIError {
        let refusal = APIError(http: error)
        if refusal == .internal || refusal == .unavailable {
            logger.error(
                "a request failed",
                metadata: [
                    "request": "\(context.id)", "method": "\(request.method)", "path": "\(request.uri.path)",
                    "error": "\(error)",
                ]
            )
        }
        return refusal
    }
}
