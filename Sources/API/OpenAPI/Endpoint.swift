import Domain
import HTTPTypes

/// What callers are told of one route. With the route's own row (method, path, access, limits) it makes the operation of
/// the OpenAPI document; see ``OpenAPIDocument``.
struct Endpoint: Sendable {
    /// A value of the query string.
    struct Parameter: Sendable {
        let name: String
        let place: String
        let schema: Schema
        let meaning: String

        static func query(_ name: String, _ schema: Schema, _ meaning: String) -> Parameter {
            Parameter(name: name, place: "query", schema: schema, meaning: meaning)
        }

        static func header(_ name: String, _ schema: Schema, _ meaning: String) -> Parameter {
            Parameter(name: name, place: "header", schema: schema, meaning: meaning)
        }
    }

    /// What it says when all is well.
    struct Answer: Sendable {
        let status: Int
        let meaning: String
        /// Nil has no body.
        let type: String?
        let schema: Schema
        /// Those that only this answer has, by their names in the document's components.
        var headers: [String] = []

        static func ok(_ schema: Schema, _ meaning: String = "Done.") -> Answer { json(200, schema, meaning) }
        static func created(_ schema: Schema) -> Answer { json(201, schema, "It exists now.") }
        static func empty(_ status: Int, _ meaning: String) -> Answer {
            Answer(status: status, meaning: meaning, type: nil, schema: .anything)
        }

        static func json(_ status: Int, _ schema: Schema, _ meaning: String) -> Answer {
            Answer(status: status, meaning: meaning, type: "application/json", schema: schema)
        }

        /// A body that is no JSON.
        static func file(_ type: String, _ meaning: String, status: Int = 200) -> Answer {
            Answer(status: status, meaning: meaning, type: type, schema: .text)
        }

        /// The same with these headers.
        func with(_ headers: String...) -> Answer {
            var copy = self
            copy.headers = headers
            return copy
        }
    }

    /// Unique in the document: `startRun`.
    let id: String
    let summary: String
    let parameters: [Parameter]
    /// What the body must be; nil where none is read.
    let body: Schema?
    let bodyType: String
    let bodyIsOptional: Bool
    let answers: [Answer]
    /// Refusals that only this route has, or has its own words for, by status. ``OpenAPIDocument`` adds the usual ones.
    let refusals: [Int: String]

    init(
        _ id: String,
        _ summary: String,
        _ answers: Answer...,
        parameters: [Parameter] = [],
        body: Schema? = nil,
        bodyType: String = "application/json",
        bodyIsOptional: Bool = false,
        refusals: [Int: String] = [:]
    ) {
        self.id = id
        self.summary = summary
        self.answers = answers
        self.parameters = parameters
        self.body = body
        self.bodyType = bodyType
        self.bodyIsOptional = bodyIsOptional
        self.refusals = refusals
    }
}

/// The descriptions of a room's routes, beside its table: one entry per row, by `METHOD /path` as the table has it.
protocol RoomDescription: Sendable {
    /// The heading it stands under.
    static var tag: String { get }
    static var endpoints: [String: Endpoint] { get }
    /// Its shared schemas, by names that no other room uses.
    static var schemas: [String: Schema] { get }
}

/// All rooms that are described: one line per room, as in `APIService.table`.
enum Catalogue {
    static let rooms: [any RoomDescription.Type] = [
        EngagementsDescription.self,
        AttachmentsDescription.self,
        DeliverablesDescription.self,
        CollectionDescription.self,
        PaymentsDescription.self,
        AccountsDescription.self,
        WebhooksDescription.self,
        ServiceDescription.self,
    ]

    /// Routes that wait for their description. `OpenAPITests` prints those that there are, and fails for any other.
    static let undescribed: Set<String> = []

    static let endpoints: [String: (tag: String, endpoint: Endpoint)] = rooms.reduce(into: [:]) { all, room in
        for (row, endpoint) in room.endpoints { all[row] = (room.tag, endpoint) }
    }
}

extension Route {
    /// `GET /api/engagements/:id`: what its description is found by.
    var name: String { "\(method.rawValue) \(path)" }
}
