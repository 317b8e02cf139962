import Domain
import HTTPTypes
import Hummingbird

/// `GET /api/openapi.json`: the document of every route there is. Made once, when the table is.
struct OpenAPIRoutes: Routes {
    private let text: String
    private let tag: String

    /// - Parameter others: every other route.
    init(describing others: [Route]) {
        let own = Route.get(Self.path, access: .open) { _ in throw APIError.noRoute }
        text = OpenAPIDocument(routes: others + [own]).json.text
        tag = "\"\(String(Self.fingerprint(text), radix: 16))\""
    }

    private static let path = "/api/openapi.json"

    var table: [Route] { [.get(Self.path, access: .open, use: document)] }

    @Sendable
    func document(_ request: APIRequest) async throws -> APIResponse {
        if Self.holds(request.ifNoneMatch, tag) {
            return APIResponse(.notModified, raw: ResponseBody(), [.eTag: tag])
        }
        var response = APIResponse(.ok, text: text)
        response.headers[.eTag] = tag
        return response
    }

    /// `If-None-Match` is a list of tags, weak or not, or `*` (RFC 9110, 13.1.2).
    private static func holds(_ header: String?, _ tag: String) -> Bool {
        guard let header else { return false }
        return header.split(separator: ",").contains { part in
            let known = part.drop(while: { $0 == " " }).replacing("W/", with: "").replacing(" ", with: "")
            return known == "*" || known == tag
        }
    }

    /// FNV-1a, 64 bits: tells one document from another, and protects nothing.
    private static func fingerprint(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
