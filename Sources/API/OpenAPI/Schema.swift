import Domain

/// A JSON Schema of the dialect that OpenAPI 3.1 uses (2020-12), written short.
struct Schema: Sendable {
    let json: JSON

    init(_ json: JSON) {
        self.json = json
    }

    static let text = Schema(["type": "string"])
    static let flag = Schema(["type": "boolean"])
    static let number = Schema(["type": "number"])
    static let count = Schema(["type": "integer", "minimum": 0])
    /// A moment in UTC, ISO 8601.
    static let moment = Schema(["type": "string", "format": "date-time"])
    /// What a file holds.
    static let bytes = Schema(["type": "string", "format": "binary"])
    static let anything = Schema([:])

    /// - Parameters:
    ///   - from, to: characters, both included.
    ///   - pattern: a regular expression that matches somewhere in it.
    static func text(from: Int? = nil, to: Int? = nil, pattern: String? = nil, example: String? = nil) -> Schema {
        var members: [String: JSON] = ["type": "string"]
        if let from { members["minLength"] = .integer(from) }
        if let to { members["maxLength"] = .integer(to) }
        if let pattern { members["pattern"] = .string(pattern) }
        if let example { members["examples"] = [.string(example)] }
        return Schema(.object(members))
    }

    /// - Parameter lengths: in characters.
    static func text(_ lengths: ClosedRange<Int>, example: String? = nil) -> Schema {
        text(from: lengths.lowerBound, to: lengths.upperBound, example: example)
    }

    static func whole(_ range: ClosedRange<Int>) -> Schema {
        Schema([
            "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
        ])
    }

    static func number(from: Double, to: Double) -> Schema {
        Schema(["type": "number", "minimum": .number(from), "maximum": .number(to)])
    }

    /// One of these words.
    static func word(_ words: [String]) -> Schema {
        Schema(["type": "string", "enum": .array(words.map(JSON.string))])
    }

    static func word(_ words: String...) -> Schema { word(words) }

    static func list(of item: Schema, from: Int? = nil, to: Int? = nil) -> Schema {
        var members: [String: JSON] = ["type": "array", "items": item.json]
        if let from { members["minItems"] = .integer(from) }
        if let to { members["maxItems"] = .integer(to) }
        return Schema(.object(members))
    }

    /// Members that are always there, and such as may be missing.
    static func object(_ members: [String: Schema], optional: [String: Schema] = [:]) -> Schema {
        let properties = members.merging(optional) { $1 }.mapValues(\.json)
        var json: [String: JSON] = ["type": "object", "properties": .object(properties)]
        if !members.isEmpty { json["required"] = .array(members.keys.sorted().map(JSON.string)) }
        return Schema(.object(json))
    }

    /// An object whose keys are names.
    static func map(of value: Schema) -> Schema {
        Schema(["type": "object", "additionalProperties": value.json])
    }

    /// A component of the document.
    static func ref(_ name: String) -> Schema { Schema(["$ref": .string("#/components/schemas/\(name)")]) }

    /// All of a component, and these members too.
    static func ref(_ name: String, with members: [String: Schema]) -> Schema {
        Schema(["allOf": [Schema.ref(name).json, Schema.object(members).json]])
    }

    static func any(of schemas: Schema...) -> Schema { Schema(["anyOf": .array(schemas.map(\.json))]) }

    /// The same, or null.
    var orNull: Schema { .any(of: self, Schema(["type": "null"])) }

    /// As the collection family wraps what it answers (contract 1.0).
    var asData: Schema { .object(["data": self]) }

    /// The same with words for the reader.
    func saying(_ description: String) -> Schema {
        guard case .object(var members) = json else { return self }
        members["description"] = .string(description)
        return Schema(.object(members))
    }
}
