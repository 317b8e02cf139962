import Domain
import HTTPTypes

/// Writes the OpenAPI 3.1 document: what the route tables say of every row, and what ``Catalogue`` says of it in words.
struct OpenAPIDocument {
    let routes: [Route]

    var json: JSON {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Groundcrew",
                "version": "1",
                "description": .string(Self.introduction),
            ],
            "servers": [["url": "/"]],
            "tags": .array(Catalogue.rooms.map { ["name": .string($0.tag)] }),
            "paths": paths,
            "components": [
                "schemas": .object(Self.schemas), "securitySchemes": Self.securitySchemes, "headers": Self.headers,
            ],
        ]
    }

    private static let introduction = """
        Routes are checked in this order: method and path (404, 405), credential (401), rate (429), role or scope (403), \
        the resource (404), the body (400, 413), plan (403), state (409). No text may hold the character U+0000. Unknown \
        members of a body are ignored. A body has at most 1 MiB, except where a file is sent.
        """

    private var paths: JSON {
        var paths: [String: [String: JSON]] = [:]
        for route in routes {
            guard let (tag, endpoint) = Catalogue.endpoints[route.name] else { continue }
            let operation = Operation(route: route, tag: tag, endpoint: endpoint).json
            paths[Operation.template(route.path), default: [:]][route.method.rawValue.lowercased()] = operation
        }
        return .object(paths.mapValues(JSON.object))
    }

    // MARK: Components

    private static let schemas: [String: JSON] = Catalogue.rooms.reduce(into: errors) { all, room in
        for (name, schema) in room.schemas { all[name] = schema.json }
    }

    private static let errors: [String: JSON] = [
        "Error": Schema.object(["error": .text.saying("What was wrong, for people.")]).json,
        "CollectionError": Schema.object([
            "error": .object(
                [
                    "code": .word(
                        "unauthorized",
                        "forbidden",
                        "not_found",
                        "validation_error",
                        "conflict",
                        "rate_limited",
                        "internal"
                    ),
                    "message": .text,
                ],
                optional: ["details": .anything]
            )
        ]).json,
    ]

    private static let securitySchemes: JSON = [
        "apiKey": [
            "type": "http", "scheme": "bearer",
            "description": "An API key, `gt_live_…` or `gt_test_…`: 64 hexadecimal digits follow.",
        ],
        "session": [
            "type": "apiKey", "in": "cookie", "name": .string(Authentication.cookie),
            "description": "The cookie that `POST /api/auth/login` sets.",
        ],
        "contributor": [
            "type": "apiKey", "in": "cookie", "name": .string(Authentication.cookie),
            "description": "The same cookie, of a contributor who has logged in.",
        ],
    ]

    private static let headers: JSON = .object(
        [
            "X-Request-Id": ("Names this request in our logs.", Schema.text),
            "X-RateLimit-Limit": ("Requests that one window admits.", .count),
            "X-RateLimit-Remaining": ("How many of them are left.", .count),
            "X-RateLimit-Reset": ("Unix time in seconds: a caller who waits until then is admitted.", .count),
            "Retry-After": ("Seconds to wait.", .count),
            "WWW-Authenticate": ("`Bearer`", .text),
            "Idempotent-Replayed": ("`true` where this answer was given before.", .text),
            "ETag": ("Changes when the body does.", .text),
            "Link": ("Where the rest of the list is: `<…>; rel=\"next\"`. Missing at its end.", .text),
            "Accept-Ranges": ("`bytes`", .text),
            "Content-Range": ("Which bytes of how many these are.", .text),
        ].mapValues { meaning, schema in ["description": .string(meaning), "schema": schema.json] }
    )
}
