import Domain
import Stores

/// `GET /api/engagements/:id/context` (contract S-34): what the crew knows of the files, and what it would find.
struct ContextRoutes: Routes {
    let context: ContextStore

    /// Characters of a query.
    static let query = 1...1_000
    /// Passages of an answer.
    static let limits = 1...50

    var table: [Route] { [.get("/api/engagements/:id/context", use: show)] }

    @Sendable
    func show(_ request: APIRequest) async throws -> APIResponse {
        let id: Engagement.ID = request.id()
        guard let state = try await context.state(of: id, request.caller.tenant) else {
            throw APIError.notFound("Engagement not found")
        }
        let limit = try Self.limit(request)
        guard let query = request.query["q"] else { return .ok(Self.json(of: state)) }
        guard Self.query.contains(query.unicodeScalars.count) else {
            throw APIError.invalid("q must have \(Self.query.lowerBound) to \(Self.query.upperBound) characters")
        }
        let hits = try await context.search(ContextQuery(query), in: id, generation: state.generation, limit: limit)
        return .ok([
            "query": .string(query), "generation": .integer(state.generation), "hits": .array(hits.map(Self.json)),
        ])
    }

    private static func limit(_ request: APIRequest) throws -> Int {
        guard let text = request.query["limit"] else { return 10 }
        guard let limit = Int(text), limits.contains(limit) else {
            throw APIError.invalid("limit must be a whole number from \(limits.lowerBound) to \(limits.upperBound)")
        }
        return limit
    }

    private static func json(of state: ContextState) -> JSON {
        let word = state.isBuilding ? "building" : state.files == 0 ? "empty" : "ready"
        return [
            "generation": .integer(state.generation), "wanted": .integer(state.wanted), "state": .string(word),
            "manifest": state.manifest ?? .null,
            "index": ["chunks": .integer(state.chunks), "tokens": .integer(state.tokens)],
        ]
    }

    private static func json(_ hit: ContextHit) -> JSON {
        [
            "attachmentId": .string(hit.attachment), "filename": .string(hit.filename), "place": hit.place.json,
            "citation": .string("[\(hit.citation)]"), "score": .number(hit.score), "text": .string(hit.text),
        ]
    }
}
