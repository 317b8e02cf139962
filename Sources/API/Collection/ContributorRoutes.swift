import Domain
import Jobs
import Queue
import Stores

/// `/api/contributor/…`: what people do who record for others (contract S-45 to S-47, decisions D-65, D-79).
struct ContributorRoutes: Routes {
    let stores: Stores
    let queue: JobQueue
    let links: StorageLinks

    var table: [Route] {
        [
            .get("/api/contributor/tasks", access: .contributor, use: tasks),
            .post("/api/contributor/tasks/:id/uploads", access: .contributor, use: upload),
            .post("/api/contributor/tasks/:id/submissions", access: .contributor, use: submit),
        ]
    }

    /// Live tasks; `?mode=test` shows those that buyers try things out with, and that pay nothing.
    @Sendable
    func tasks(_ request: APIRequest) async throws -> APIResponse {
        guard let mode = KeyMode(rawValue: request.query["mode"] ?? KeyMode.live.rawValue) else {
            throw APIError.invalid("mode must be live or test")
        }
        let offers = try await stores.contributors.openTasks(mode).map(\.offer)
        return .ok("tasks", offers)
    }

    @Sendable
    func upload(_ request: APIRequest) async throws -> APIResponse {
        let task = try await knownTask(request)
        var fields = FieldReader(try await request.object())
        let size = fields.integer("byte_size", Submission.Limits.byteSize)
        let type = Self.videoType(&fields)
        guard fields.faults.isEmpty, let size, let type else { throw APIError.faults(fields.faults) }
        let grant = try await stores.contributors.grantUpload(of: type, for: task, to: request.caller.user)
        guard let grant else { throw APIError.conflict("The task is not open") }
        let url = try links.upload(
            to: grant.key,
            for: grant.tenant,
            mimeType: grant.type,
            maxBytes: size,
            seconds: Submission.Limits.uploadSeconds,
            asked: request
        )
        return .ok(
            ordered: [
                "media_object_key": .string(grant.key), "upload_url": .string(url),
                "expires_in_seconds": .integer(Submission.Limits.uploadSeconds),
            ]
        )
    }

    @Sendable
    func submit(_ request: APIRequest) async throws -> APIResponse {
        let task = try await knownTask(request)
        let contributor = try request.caller.user
        var fields = FieldReader(try await request.object())
        let key = fields.text("media_object_key", 1...512)
        let duration = fields.integer("duration_seconds", Submission.Limits.durationSeconds)
        guard fields.faults.isEmpty, let key, let duration else { throw APIError.faults(fields.faults) }
        let draft = ContributorStore.Draft(task: task, mediaKey: key, durationSeconds: duration)
        let outcome = try await queue.transaction { transaction in
            let outcome = try await stores.contributors.submit(draft, by: contributor, in: transaction.sql)
            if case .submitted(let submission) = outcome {
                try await AnnounceSubmission.finish(transaction, .created, of: submission.id)
            }
            return outcome
        }
        return try Self.answer(outcome)
    }

    private static func answer(_ outcome: ContributorStore.Outcome) throws -> APIResponse {
        switch outcome {
        case .submitted(let submission): return .created(ordered: submission.row)
        case .noTask: throw APIError.noRoute
        case .taskIsNotOpen(let status): throw APIError.conflict("The task is not open: it is \(status.rawValue)")
        case .keyIsUnknown: throw APIError.invalid("media_object_key is not one that you were given for this task")
        case .uploadIsTooOld: throw APIError.invalid("media_object_key is of yesterday: upload the recording again")
        case .keyIsUsed: throw APIError.invalid("media_object_key was handed in already")
        case .nothingUploaded: throw APIError.invalid("media_object_key: nothing was uploaded under it yet")
        }
    }

    /// `video/…`, as RFC 6838 4.2 spells names of types.
    private static func videoType(_ fields: inout FieldReader) -> String? {
        guard let type = fields.text("mime_type", 1...127)?.lowercased() else { return nil }
        guard type.wholeMatch(of: /video\/[a-z0-9][a-z0-9!#$&^_.+-]*/) != nil else {
            fields.fault("mime_type", "must be a type of video, such as video/mp4")
            return nil
        }
        return type
    }

    /// - Throws: 404 where there is no such task.
    private func knownTask(_ request: APIRequest) async throws -> CollectionTask.ID {
        let id: CollectionTask.ID = request.id()
        guard try await stores.contributors.status(of: id) != nil else { throw APIError.noRoute }
        return id
    }
}
