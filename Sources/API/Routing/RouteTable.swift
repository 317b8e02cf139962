import Domain
import HTTPTypes
import Hummingbird
import Logging

/// Puts the tables of all features on Hummingbird's router, behind the gates and inside the envelopes.
struct RouteTable: Sendable {
    let routes: [Route]
    let authentication: Authentication
    let logger: Logger

    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete]

    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.addMiddleware { EnvelopeMiddleware(logger: logger) }
        for (path, rows) in Dictionary(grouping: routes, by: \.path) {
            for row in rows { add(row, to: router) }
            let allowed = rows.map(\.method)
            let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in Self.methods where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw APIError.methodNotAllowed(allow: allow)
                }
            }
        }
        return router
    }

    private func add(_ row: Route, to router: Router<BasicRequestContext>) {
        router.on(RouterPath(row.path), method: row.method) { request, context -> Response in
            var identity: Caller?
            if row.access != .open {
                let caller = try await authentication.caller(of: request)
                try row.access.check(caller)
                identity = caller
            }
            let parameters = Dictionary(
                context.parameters.map { (String($0.key), String($0.value)) },
                uniquingKeysWith: { first, _ in first }
            )
            let answer = try await row.answer(APIRequest(request, parameters: parameters, identity: identity))
            return answer.response(requestID: context.id.description)
        }
    }
}

/// Turns every error into its family's envelope, and logs each request once, without credentials or query.
struct EnvelopeMiddleware: RouterMiddleware {
    typealias Context = BasicRequestContext

    let logger: Logger

    // Hummingbird's protocol was compiled without nonsending by default.
    @concurrent
    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let refusal = Self.refusal(error)
            if refusal == .internal || refusal == .unavailable {
                logger.error(
                    "a request failed",
                    metadata: [
                        "request": "\(context.id)", "method": "\(request.method)", "path": "\(request.uri.path)",
                        "error": "\(error)",
                    ]
                )
            }
            return refusal.response(for: Family(path: request.uri.path)).response(requestID: context.id.description)
        }
    }

    private static func refusal(_ error: any Error) -> APIError {
        guard let http = error as? HTTPError else { return APIError(error) }
        return switch http.status {
        case .notFound: .noRoute
        case .contentTooLarge: .tooLarge
        case .badRequest: .invalid("The request cannot be read")
        default: .internal
        }
    }
}
