/// The service itself.
enum ServiceDescription: RoomDescription {
    static let tag = "Service"

    static let endpoints: [String: Endpoint] = [
        "GET /api/health": Endpoint(
            "getHealth",
            "Whether the service works, and how much work waits",
            .ok(.ref("Health"), "It works, though perhaps without Redis."),
            .json(503, .ref("Health"), "Postgres is away.")
        ),
        "GET /api/openapi.json": Endpoint(
            "getOpenAPI",
            "This document",
            .ok(.map(of: .anything)).with("ETag"),
            .empty(304, "The document is the one of `If-None-Match`.").with("ETag"),
            parameters: [.header("If-None-Match", .text, "The `ETag` of the copy that the caller has.")]
        ),
    ]

    static let schemas: [String: Schema] = [
        "Health": .object(
            [
                "status": .word("ok", "degraded", "unavailable"), "postgres": .flag, "redis": .flag,
                "workers": .count,
                "queues": .map(
                    of: .object(["ready": .count, "delayed": .count, "running": .count, "dead": .count])
                ),
            ],
            optional: ["testSettings": .list(of: .text), "dead_24h": .map(of: .count)]
        )
    ]
}
