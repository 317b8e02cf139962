import Domain
import HTTPTypes
import Jobs
import Queue
import Stores

/// `/api/engagements/:id/deliverables/…` (contract S-30 to S-32). In a path, `:document` is a file name for `versions`
/// and an id everywhere else.
struct DeliverableRoutes: Routes {
    let deliverables: DeliverableStore
    let queue: JobQueue

    /// Characters a reviewer may write.
    private static let commentLimit = 10_000

    var table: [Route] {
        [
            .get("/api/engagements/:id/deliverables", use: list),
            .get("/api/engagements/:id/deliverables/:document/versions", use: versions),
            .post("/api/engagements/:id/deliverables/:document/review", use: review),
        ]
    }

    @Sendable
    func list(_ request: APIRequest) async throws -> APIResponse {
        let found = try await deliverables.list(
            of: request.id(),
            request.caller.tenant,
            includeInternal: request.query["include_internal"] == "true"
        )
        guard let found else { throw APIError.noRoute }
        return .ok(.array(found.map { .object($0.members) }))
    }

    @Sendable
    func versions(_ request: APIRequest) async throws -> APIResponse {
        let filename = request.parameters["document"] ?? ""
        let found = try await deliverables.versions(of: filename, in: request.id(), request.caller.tenant)
        guard !found.isEmpty else { throw APIError.noRoute }
        return .ok(
            .array(found.map { .object($0.members.merging(["content": .string($0.document.content)]) { $1 }) })
        )
    }

    @Sendable
    func review(_ request: APIRequest) async throws -> APIResponse {
        let known = try await deliverables.one(request.id("document"), in: request.id(), request.caller.tenant)
        guard known != nil else { throw APIError.noRoute }
        let body = try await request.object()
        let decision = try Self.decision(body["action"])
        let comment = try Self.comment(body["comment"])
        let caller = try request.caller
        let outcome = try await queue.transaction { transaction in
            let outcome = try await deliverables.review(
                request.id("document"),
                in: request.id(),
                by: caller,
                as: decision,
                comment: comment,
                in: transaction.sql
            )
            if case .recorded = outcome {
                try await AnnounceDocument.reviewed(request.id("document")).finish(transaction)
            }
            return outcome
        }
        switch outcome {
        case .recorded(let row): return .ok(.object(row.members.merging(row.verdict) { $1 }))
        case .alreadyDecided: throw APIError.conflict("Deliverable has already been reviewed")
        case .notFound: throw APIError.noRoute
        }
    }

    private static func decision(_ action: JSON?) throws -> ReviewStatus {
        switch action?.stringValue {
        case "approve": .approved
        case "request_revision": .revisionRequested
        case "reject": .rejected
        default: throw APIError.invalid("action must be approve, request_revision or reject")
        }
    }

    private static func comment(_ value: JSON?) throws -> String? {
        guard let value, value != .null else { return nil }
        guard let text = value.stringValue, text.count <= commentLimit else {
            throw APIError.invalid("comment must be a text of at most \(commentLimit) characters")
        }
        return text
    }
}

extension ReviewedDeliverable {
    /// Exactly the keys of contract S-30.
    var members: [String: JSON] {
        [
            "id": .string(document.id.rawValue), "filename": .string(document.filename),
            "version": .integer(document.version), "wordCount": .integer(document.wordCount),
            "taskId": .string(document.task), "reviewStatus": .string(review.rawValue),
            "createdAt": .string(document.createdAt.milliseconds),
        ]
    }

    /// What a review adds to them.
    var verdict: [String: JSON] {
        ["reviewComment": .optional(comment), "reviewedAt": .optional(reviewedAt?.milliseconds)]
    }
}

extension HTTPField.Name {
    static let contentTypeOptions = Self("X-Content-Type-Options") ?? .init(parsed: "x-content-type-options") ?? .server
}
