import Domain
import HTTPTypes
import Hummingbird
import PostgresClient
import Stores

/// `GET /api/engagements/:id/stream` (contract E-45 to E-49).
struct StreamRoutes: Routes {
    let runs: RunStore
    let live: LiveEvents

    var table: [Route] { [.get("/api/engagements/:id/stream", use: stream)] }

    @Sendable
    func stream(_ request: APIRequest) async throws -> APIResponse {
        let position = request.lastEventID.flatMap(StreamPosition.init)
        guard let start = try await start(request, asked: position?.run) else { throw APIError.noRoute }
        let plan = StreamPlan.plan(start, since: position)
        guard plan != .over else { return .nothing }
        guard await live.hasRoom else { throw APIError.noStream }
        let stream = LiveStream(engagement: request.id(), start: start, plan: plan, runs: runs, live: live)
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        // Some reverse proxies would collect the events otherwise.
        headers[.accelBuffering] = "no"
        return APIResponse(.ok, raw: ResponseBody { writer in try await stream.write(to: &writer) }, headers)
    }

    private func start(_ request: APIRequest, asked: Run.ID?) async throws -> StreamStart? {
        do {
            return try await runs.streamStart(request.id(), request.caller.tenant, asked: asked)
        } catch let error as PostgresError where error.isUnavailable {
            throw APIError.noStream
        }
    }
}

extension HTTPField.Name {
    static let lastEventID = Self("Last-Event-ID") ?? .init(parsed: "last-event-id") ?? .server
    static let accelBuffering = Self("X-Accel-Buffering") ?? .init(parsed: "x-accel-buffering") ?? .server
}
