import Domain
import HTTPTypes

/// One operation of the document: a row of a table together with its description.
struct Operation {
    let route: Route
    let tag: String
    let endpoint: Endpoint

    /// `/api/engagements/{id}`
    static func template(_ path: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
            .reduce("") { "\($0)/\($1)" }
    }

    var json: JSON {
        var members: [String: JSON] = [
            "operationId": .string(endpoint.id), "summary": .string(endpoint.summary), "tags": [.string(tag)],
            "security": security, "responses": .object(responses),
        ]
        let parameters = pathParameters + endpoint.parameters.map(Self.parameter) + idempotencyKey
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body = endpoint.body {
            members["requestBody"] = [
                "required": .bool(!endpoint.bodyIsOptional),
                "content": .object([endpoint.bodyType: ["schema": body.json]]),
            ]
        }
        return .object(members)
    }

    // MARK: Who and with what

    private var isOpen: Bool { route.access == .open }
    private var isCollection: Bool { Family(path: route.path) == .collection }

    private var security: JSON {
        switch route.access {
        case .open: []
        case .session, .admin: [["session": []]]
        case .contributor: [["contributor": []]]
        case .webhooks, .tasksRead, .tasksWrite: [["apiKey": []]]
        case .read, .write, .profile: isCollection ? [["apiKey": []]] : [["apiKey": []], ["session": []]]
        }
    }

    private var pathParameters: [JSON] {
        route.path.split(separator: "/").filter { $0.hasPrefix(":") }.map { part in
            [
                "name": .string(String(part.dropFirst())), "in": "path", "required": true,
                "schema": Schema.text(from: 1).json,
            ]
        }
    }

    private static func parameter(_ parameter: Endpoint.Parameter) -> JSON {
        [
            "name": .string(parameter.name), "in": .string(parameter.place), "required": false,
            "description": .string(parameter.meaning), "schema": parameter.schema.json,
        ]
    }

    /// Any POST with a credential takes one (contract T-7).
    private var idempotencyKey: [JSON] {
        guard route.method == .post, !isOpen else { return [] }
        return [
            Self.parameter(
                .header(
                    "Idempotency-Key",
                    .text(from: 1, to: 255, pattern: "^[!-~]+$"),
                    "The same request with the same key within 24 hours gets the same answer and has no second effect."
                )
            )
        ]
    }

    // MARK: Answers

    private var responses: [String: JSON] {
        var responses: [String: JSON] = [:]
        for (status, meaning) in refusals { responses[String(status)] = refusal(status, meaning) }
        for answer in endpoint.answers { responses[String(answer.status)] = success(answer) }
        return responses
    }

    private func success(_ answer: Endpoint.Answer) -> JSON {
        var response: [String: JSON] = ["description": .string(answer.meaning)]
        var names = ["X-Request-Id"]
        if route.effectiveTier != .unlimited { names += Self.rateHeaders }
        if route.method == .post, !isOpen { names.append("Idempotent-Replayed") }
        response["headers"] = Self.headers(names + answer.headers)
        if let type = answer.type { response["content"] = .object([type: ["schema": answer.schema.json]]) }
        return .object(response)
    }

    private static let rateHeaders = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]

    private static func headers(_ names: [String]) -> JSON {
        .object(
            Dictionary(uniqueKeysWithValues: names.map { ($0, ["$ref": .string("#/components/headers/\($0)")]) })
        )
    }

    private func refusal(_ status: Int, _ meaning: String) -> JSON {
        var names = ["X-Request-Id"]
        if route.effectiveTier != .unlimited { names += Self.rateHeaders }
        if [429, 503].contains(status) { names.append("Retry-After") }
        if status == 401, !isOpen { names.append("WWW-Authenticate") }
        let schema = Schema.ref(isCollection ? "CollectionError" : "Error")
        return [
            "description": .string(meaning), "headers": Self.headers(names),
            "content": ["application/json": ["schema": schema.json]],
        ]
    }

    /// Those that follow from the row, and the endpoint's own.
    private var refusals: [Int: String] {
        var usual = [
            400: "The request cannot be read, or a value in it is not allowed.",
            500: "Our fault. It is in our logs under the X-Request-Id.",
            503: "Temporarily unavailable.",
        ]
        if !isOpen {
            usual[401] = "The credential is missing, malformed, unknown or expired."
            usual[403] = "The role or the scopes do not suffice."
        }
        if route.path.contains("/:") { usual[404] = "There is no such thing, or it is another tenant's." }
        if endpoint.body != nil { usual[413] = "The body is larger than 1 MiB." }
        if route.method == .post, !isOpen { usual[409] = "The Idempotency-Key was used for another request." }
        if route.effectiveTier != .unlimited { usual[429] = "Over the rate limit; nothing was done." }
        return usual.merging(endpoint.refusals) { $1 }
    }
}
