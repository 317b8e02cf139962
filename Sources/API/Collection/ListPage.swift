import Domain
import HTTPTypes
import Stores

/// A part of a list, as the query asks for it, and where the next one is (decision D-64, RFC 8288).
struct ListPage: Sendable {
    let page: Page

    /// - Throws: 400 with all faults of the query.
    init(_ query: [String: String]) throws {
        let limit = query["limit"].map { Int($0) } ?? Page.longest
        guard let limit, (1...Page.longest).contains(limit) else {
            throw APIError.faults([
                FieldFault(path: "limit", message: "must be an integer from 1 to \(Page.longest)")
            ])
        }
        page = Page(limit: limit, after: query["starting_after"])
    }

    static let unknownStart = APIError.faults([
        FieldFault(path: "starting_after", message: "must be the id of a row of this list")
    ])

    /// The answer, with a link to what follows where something does.
    ///
    /// - Parameter last: the id of the last row.
    func answer(_ rows: [OrderedObject], at path: String, last: String?, hasMore: Bool) -> APIResponse {
        var response = APIResponse.ok("data", rows)
        if hasMore, let last {
            response.headers[.links] = "<\(path)?limit=\(page.limit)&starting_after=\(last)>; rel=\"next\""
        }
        return response
    }
}

extension HTTPField.Name {
    fileprivate static let links = Self("Link") ?? .init(parsed: "link") ?? .server
}
