import Domain
import HTTPTypes
import PostgresClient
import Queue

/// Every way the API says no. Status and text are derived here, once; the family gives the envelope.
enum APIError: Error, Equatable {
    case unauthorized
    /// 401 with a text of its own: a login that failed.
    case refused(String)
    case forbidden(String)
    case notFound(String)
    case methodNotAllowed(allow: String)
    case invalid(String)
    case tooLarge
    case conflict(String)
    case tooMany
    case unavailable
    /// The engine refuses work: an operator closed its queue (decision O-2).
    case engine(String)
    /// A live stream cannot be served (contract E-49).
    case noStream
    case `internal`

    static let noRoute = APIError.notFound("Not found")
    static let writeAccess = APIError.forbidden("Write access required")

    var status: HTTPResponse.Status {
        switch self {
        case .unauthorized, .refused: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .invalid: .badRequest
        case .tooLarge: .contentTooLarge
        case .conflict: .conflict
        case .tooMany: .tooManyRequests
        case .unavailable: .serviceUnavailable
        case .engine, .noStream: .badGateway
        case .internal: .internalServerError
        }
    }

    /// The code that the data-collection family sends (contract T-3).
    var code: String {
        switch self {
        case .unauthorized, .refused: "unauthorized"
        case .forbidden: "forbidden"
        case .notFound, .methodNotAllowed: "not_found"
        case .invalid, .tooLarge: "validation_error"
        case .conflict: "conflict"
        case .tooMany: "rate_limited"
        case .unavailable, .engine, .noStream, .internal: "internal"
        }
    }

    var message: String {
        switch self {
        case .unauthorized: "Unauthorized"
        case .engine(let reason): "Engine error: \(reason)"
        case .refused(let text), .forbidden(let text), .notFound(let text), .invalid(let text), .conflict(let text):
            text
        case .noStream: "Failed to connect to engine"
        case .methodNotAllowed: "Method not allowed"
        case .tooLarge: "The body is larger than 1 MiB"
        case .tooMany: "Too many requests"
        case .unavailable: "The service is temporarily unavailable. Try again shortly."
        case .internal: "Internal error"
        }
    }

    /// What a failure inside becomes for the caller.
    init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as PostgresError where error.isUnavailable: self = .unavailable
        case let error as QueueClosed: self = .engine("the \(error.queue) queue is closed")
        default: self = .internal
        }
    }

    func response(for family: Family) -> APIResponse {
        var response = APIResponse(status, family.body(of: self))
        switch self {
        case .unauthorized: response.headers[.wwwAuthenticate] = "Bearer"
        case .methodNotAllowed(let allow): response.headers[.allow] = allow
        case .unavailable: response.headers[.retryAfter] = "1"
        default: break
        }
        return response
    }
}
