import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer: JSON, or a body of another kind.
struct APIResponse: Sendable {
    let status: HTTPResponse.Status
    /// JSON text.
    let text: String
    var headers = HTTPFields()
    /// What is sent instead of JSON; its content type is in `headers`.
    private var raw: ResponseBody?

    init(_ status: HTTPResponse.Status, _ body: JSON) {
        self.init(status, text: body.text)
    }

    /// An answer that was written before: its bytes are sent as they are.
    init(_ status: HTTPResponse.Status, text: String) {
        self.status = status
        self.text = text
    }

    /// A body that is no JSON.
    init(_ status: HTTPResponse.Status, raw: ResponseBody, _ headers: HTTPFields) {
        self.init(status, .null)
        self.raw = raw
        self.headers = headers
    }

    /// A file, which browsers must take for what it says it is.
    init(_ status: HTTPResponse.Status, file bytes: [UInt8], type: String) {
        var headers: HTTPFields = [.contentType: type]
        headers[.xContentTypeOptions] = "nosniff"
        self.init(status, raw: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)), headers)
    }

    /// 204, without a body.
    static let nothing = APIResponse(.noContent, raw: ResponseBody(), HTTPFields())

    static func ok(_ body: JSON) -> APIResponse { APIResponse(.ok, body) }
    static func created(_ body: JSON) -> APIResponse { APIResponse(.created, body) }

    /// Where a large body was refused: what is left of it would be read to its end, so the connection is closed when the
    /// client has had time to read the refusal.
    func hangingUp(_ channel: any Channel) -> APIResponse {
        guard status.code >= 400 else { return self }
        channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
        var answer = self
        answer.headers[.connection] = "close"
        return answer
    }

    /// With the headers that every answer has (contract X-13).
    func response(requestID: String) -> Response {
        var headers = headers
        if raw == nil { headers[.contentType] = "application/json; charset=utf-8" }
        headers[.cacheControl] = "no-store"
        headers[.requestID] = requestID
        let json = { ResponseBody(byteBuffer: ByteBuffer(string: text)) }
        return Response(status: status, headers: headers, body: raw ?? json())
    }
}

extension HTTPField.Name {
    static let requestID = Self("X-Request-Id") ?? .init(parsed: "x-request-id") ?? .server
}
