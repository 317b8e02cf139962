import Domain
import Stores

/// `GET /api/engagements/:id/quality` (contract E-50…E-52).
struct QualityRoutes: Routes {
    let quality: QualityStore

    var table: [Route] { [.get("/api/engagements/:id/quality", tier: .api, use: quality)] }

    @Sendable
    func quality(_ request: APIRequest) async throws -> APIResponse {
        guard let found = try await quality.latest(of: request.id(), request.caller.tenant) else {
            throw APIError.noRoute
        }
        guard let report = found else { return .ok(["runId": .null, "averageScore": .null, "scores": []]) }
        guard let average = report.average else {
            return .ok(["runId": .string(report.run.rawValue), "averageScore": .null, "scores": []])
        }
        return .ok([
            "runId": .string(report.run.rawValue), "averageScore": .number(Double(average) / 10),
            "runStatus": .string(report.status.rawValue), "runStartedAt": .string(report.startedAt.milliseconds),
            "scores": .array(report.scores.map(Self.score)),
        ])
    }

    private static func score(_ score: QualityStore.Score) -> JSON {
        [
            "id": .string(score.id), "taskName": .string(score.task), "score": .number(Double(score.tenths) / 10),
            "rubricType": .string(score.rubric), "feedback": .string(score.feedback),
            "createdAt": .string(score.createdAt.milliseconds),
        ]
    }
}
