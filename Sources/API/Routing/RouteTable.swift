import Domain
import HTTPTypes
import Hummingbird
import Logging

/// Puts the tables of all features on Hummingbird's router, behind the gates and inside the envelopes.
struct RouteTable: Sendable {
    let routes: [Route]
    let gatehouse: Gatehouse
    let logger: Logger

    /// What a known path answers with 405 where it has no row. CONNECT names no path.
    private static let methods =
        [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options, .trace]
        + [HTTPRequest.Method("QUERY")].compactMap(\.self)

    func router() -> Router<HouseContext> {
        let router = Router(context: HouseContext.self, options: .autoGenerateHeadEndpoints)
        router.addMiddleware { EnvelopeMiddleware(logger: logger) }
        for (path, rows) in Dictionary(grouping: routes, by: \.path) {
            for row in rows { add(row, to: router) }
            let allowed = rows.map(\.method)
            let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            // Whatever has GET has HEAD: Hummingbird adds it.
            let served = allowed + (allowed.contains(.get) ? [.head] : [])
            for method in Self.methods where !served.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw APIError.methodNotAllowed(allow: allow)
                }
            }
        }
        return router
    }

    private func add(_ row: Route, to router: Router<HouseContext>) {
        router.on(RouterPath(row.path), method: row.method) { request, context -> Response in
            let answer = await gatehouse.answer(row, request, context)
            return (row.streams ? answer.hangingUp(context.channel) : answer)
                .response(requestID: context.id.description)
        }
    }
}

/// Turns what the router itself refuses into the family's envelope: no such route, another method, unreadable requests.
struct EnvelopeMiddleware: RouterMiddleware {
    typealias Context = HouseContext

    let logger: Logger

    // Hummingbird's protocol was compiled without nonsending by default.
    @concurrent
    func handle(
        _ request: Request,
        context: HouseContext,
        next: @concurrent (Request, HouseContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let refusal = APIError(http: error)
            if refusal == .internal {
                logger.error(
                    "a request failed in the router",
                    metadata: ["request": "\(context.id)", "error": "\(error)"]
                )
            }
            return refusal.response(for: Family(path: request.uri.path)).response(requestID: context.id.description)
        }
    }
}

extension APIError {
    /// What a failure in the server's own parts or in ours becomes for the caller.
    init(http error: any Error) {
        guard let http = error as? HTTPError else {
            self.init(error)
            return
        }
        self =
            switch http.status {
            case .notFound: .noRoute
            case .contentTooLarge: .tooLarge
            case .badRequest: .invalid("The request cannot be read")
            default: .internal
            }
    }
}
