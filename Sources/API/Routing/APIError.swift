import Domain
import HTTPTypes
import PostgresClient
import Queue
import Stores

/// Every way the API says no. Status and text are derived here, once; the family gives the envelope.
enum APIError: Error, Equatable {
    case unauthorized
    /// 401 with a text of its own: a login that failed.
    case refused(String)
    case forbidden(String)
    case notFound(String)
    case methodNotAllowed(allow: String)
    case invalid(String)
    /// Everything that is wrong with the fields of a body or query, at least one (contract T-14).
    case faults([FieldFault])
    case tooLarge
    /// 413 for want of room.
    case full(String)
    /// The client sends its body too slowly.
    case tooSlow
    /// What was asked for is in order, and cannot be had.
    case unprocessable(String)
    case conflict(String)
    case tooMany
    /// Too many urls of the caller's tenant may not be asked for; seconds to wait.
    case denied(retryAfter: Int)
    case unavailable
    /// Too much waits: the caller's own jobs, or everybody's.
    case overload(Overload)
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
        case .invalid, .faults: .badRequest
        case .tooLarge, .full: .contentTooLarge
        case .tooSlow: .requestTimeout
        case .unprocessable: .unprocessableContent
        case .conflict: .conflict
        case .tooMany, .denied: .tooManyRequests
        case .overload(let overload): overload.whose == .tenant ? .tooManyRequests : .serviceUnavailable
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
        case .invalid, .faults, .tooLarge, .full, .tooSlow, .unprocessable: "validation_error"
        case .conflict: "conflict"
        case .tooMany, .denied: "rate_limited"
        case .overload(let overload): overload.whose == .tenant ? "rate_limited" : "internal"
        case .unavailable, .engine, .noStream, .internal: "internal"
        }
    }

    var message: String {
        switch self {
        case .unauthorized: "Unauthorized"
        case .engine(let reason): "Engine error: \(reason)"
        case .refused(let text), .forbidden(let text), .notFound(let text), .invalid(let text), .conflict(let text),
            .full(let text), .unprocessable(let text):
            text
        case .faults(let faults): faults.map { "\($0.path) \($0.message)" }.joined(separator: "; ")
        case .tooSlow: "The body came too slowly"
        case .noStream: "Failed to connect to engine"
        case .methodNotAllowed: "Method not allowed"
        case .tooLarge: "The body is larger than 1 MiB"
        case .tooMany: "Too many requests"
        case .denied(let seconds):
            "Too many urls led to what is not public. Check them, and try again in \(seconds) seconds"
        case .overload(let overload): overload.description
        case .unavailable: "The service is temporarily unavailable. Try again shortly."
        case .internal: "Internal error"
        }
    }

    /// What a failure inside becomes for the caller.
    init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as PostgresError where error.isUnavailable: self = .unavailable
        case let error as Overload: self = .overload(error)
        case let error as BlobError: self = error == .missing ? .notFound("Object not found") : .unavailable
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
        case .denied(let seconds): response.headers[.retryAfter] = String(seconds)
        case .overload(let overload): response.headers[.retryAfter] = String(overload.retryAfter)
        default: break
        }
        return response
    }
}
