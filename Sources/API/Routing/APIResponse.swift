import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON answer.
struct APIResponse: Sendable {
    let status: HTTPResponse.Status
    /// JSON text.
    let text: String
    var headers = HTTPFields()

    init(_ status: HTTPResponse.Status, _ body: JSON) {
        self.init(status, text: body.text)
    }

    /// An answer that was written before: its bytes are sent as they are.
    init(_ status: HTTPResponse.Status, text: String) {
        self.status = status
        self.text = text
    }

    static func ok(_ body: JSON) -> APIResponse { APIResponse(.ok, body) }
    static func created(_ body: JSON) -> APIResponse { APIResponse(.created, body) }

    /// With the headers that every JSON answer has (contract X-13).
    func response(requestID: String) -> Response {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        headers[.cacheControl] = "no-store"
        headers[.requestID] = requestID
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

extension HTTPField.Name {
    static let requestID = Self("X-Request-Id") ?? .init(parsed: "x-request-id") ?? .server
}
