import Domain
import Jobs
import Queue
import Stores

/// `/api/v1/submissions` (contract T-18, T-29, T-30, S-40).
struct SubmissionRoutes: Routes {
    let stores: Stores
    let queue: JobQueue
    let links: StorageLinks
    /// Nil where Stripe is not connected.
    let payments: PaymentJobs?

    var table: [Route] {
        [
            .get("/api/v1/submissions/:id", access: .tasksRead, use: show),
            .post("/api/v1/submissions/:id/approve", access: .tasksWrite, use: approve),
            .post("/api/v1/submissions/:id/reject", access: .tasksWrite, use: reject),
        ]
    }

    @Sendable
    func show(_ request: APIRequest) async throws -> APIResponse {
        let submission = try await submission(request)
        let type = try await stores.submissions.mediaType(of: submission)
        let presentation = BlobPresentation(mimeType: type, filename: submission.filename(type))
        let url = try links.download(of: submission.mediaKey, as: presentation, asked: request)
        return .ok(data: submission.row(mediaURL: url, seconds: links.seconds))
    }

    @Sendable
    func approve(_ request: APIRequest) async throws -> APIResponse {
        try await decide(.approve, submission(request).id, request.caller)
    }

    @Sendable
    func reject(_ request: APIRequest) async throws -> APIResponse {
        let id = try await submission(request).id
        var fields = FieldReader(try await request.optionalObject())
        let note = fields.optionalText("note", Submission.Limits.note)
        guard fields.faults.isEmpty else { throw APIError.faults(fields.faults) }
        return try await decide(.reject(note: note), id, request.caller)
    }

    /// Decision, count, payout and event are one transaction, so that each happens once or not at all.
    private func decide(
        _ decision: SubmissionStore.Decision,
        _ id: Submission.ID,
        _ caller: Caller
    ) async throws -> APIResponse {
        let outcome = try await queue.transaction { transaction in
            let outcome = try await stores.submissions.decide(id, decision, for: caller, in: transaction.sql)
            guard case .decided(let submission) = outcome else { return outcome }
            if submission.status == .approved { try await payments?.transfer(submission, caller.mode, transaction) }
            try await AnnounceSubmission.finish(
                transaction,
                submission.status == .approved ? .approved : .rejected,
                of: id
            )
            return outcome
        }
        switch outcome {
        case .decided(let submission): return .ok(data: submission.row)
        case .notFound: throw APIError.noRoute
        case .decidedAlready(let status):
            throw APIError.conflict("Decision already made: the submission is \(status.rawValue)")
        case .taskIsNotOpen(let status):
            throw APIError.conflict("The task takes no more decisions: it is \(status.rawValue)")
        }
    }

    /// - Throws: 404 where it is unknown, another tenant's or of the other mode.
    private func submission(_ request: APIRequest) async throws -> Submission {
        guard let submission = try await stores.submissions.find(request.id(), for: request.caller) else {
            throw APIError.noRoute
        }
        return submission
    }
}
