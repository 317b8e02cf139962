import Domain
import HTTPTypes

/// A JSON object whose members keep their order, for the rows that a document shows in one.
struct OrderedObject: ExpressibleByDictionaryLiteral, Sendable {
    private let members: [(name: String, value: JSON)]

    init(dictionaryLiteral elements: (String, JSON)...) {
        members = elements.map { (name: $0, value: $1) }
    }

    var text: String {
        "{" + members.map { "\(JSON.string($0.name).text):\($0.value.text)" }.joined(separator: ",") + "}"
    }
}

extension APIResponse {
    static func ok(ordered object: OrderedObject) -> APIResponse { APIResponse(.ok, text: object.text) }
    static func created(ordered object: OrderedObject) -> APIResponse { APIResponse(.created, text: object.text) }

    /// One row in the envelope of the collection family.
    static func ok(data row: OrderedObject) -> APIResponse { APIResponse(.ok, text: #"{"data":\#(row.text)}"#) }
    static func created(data row: OrderedObject) -> APIResponse {
        APIResponse(.created, text: #"{"data":\#(row.text)}"#)
    }

    /// Rows under a name, which is `data` in the envelope of the collection family.
    static func ok(_ name: String, _ rows: [OrderedObject]) -> APIResponse {
        APIResponse(.ok, text: #"{"\#(name)":[\#(rows.map(\.text).joined(separator: ","))]}"#)
    }
}
