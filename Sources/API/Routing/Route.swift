import Domain
import HTTPTypes

/// One row of a feature's table: how it is called, who may call it, and what answers.
///
/// Access is a column, so a route without it does not compile, and the whole surface can be read as a list.
struct Route: Sendable {
    /// Who may call.
    enum Access: Sendable {
        /// Anybody, without a credential.
        case open
        case read
        case write
    }

    let method: HTTPRequest.Method
    /// `/api/engagements/:id`
    let path: String
    let access: Access
    let answer: @Sendable (APIRequest) async throws -> APIResponse

    static func get(
        _ path: String,
        access: Access = .read,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .get, path: path, access: access, answer: answer)
    }

    static func post(
        _ path: String,
        access: Access = .write,
        use answer: @escaping @Sendable (APIRequest) async throws -> APIResponse
    ) -> Route {
        Route(method: .post, path: path, access: access, answer: answer)
    }
}

/// A feature's endpoints, as a table.
protocol Routes: Sendable {
    var table: [Route] { get }
}
