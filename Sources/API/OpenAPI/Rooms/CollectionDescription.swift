import Domain
import Stores

/// Tasks, submissions, and what contributors do (contract T-10 to T-18, T-29, T-30, S-40, S-41, S-45 to S-47).
enum CollectionDescription: RoomDescription {
    static let tag = "Data collection"

    static let endpoints: [String: Endpoint] = buyers.merging(contributors) { $1 }

    // MARK: Buyers

    private static let buyers: [String: Endpoint] = [
        "GET /api/v1/tasks": Endpoint(
            "listTasks",
            "Tasks of the key's mode, newest first",
            .ok(Schema.list(of: .ref("CollectionTask")).asData).with("Link"),
            parameters: page
        ),
        "POST /api/v1/tasks": Endpoint(
            "createTask",
            "Create a task; it opens once its budget is paid at `funding_url`",
            .created(Schema.ref("CollectionTask").asData),
            body: .ref("NewCollectionTask")
        ),
        "GET /api/v1/tasks/:id": Endpoint(
            "getTask",
            "A task",
            .ok(Schema.ref("CollectionTask").asData)
        ),
        "POST /api/v1/tasks/:id/cancel": Endpoint(
            "cancelTask",
            "Cancel a task that is not yet completed; it takes no more submissions",
            .ok(Schema.ref("CollectionTask").asData),
            refusals: [409: "It is completed or cancelled already."]
        ),
        "GET /api/v1/tasks/:id/submissions": Endpoint(
            "listSubmissions",
            "A task's submissions of every status, newest first",
            .ok(Schema.list(of: .ref("Submission")).asData).with("Link"),
            parameters: page
        ),
        "GET /api/v1/submissions/:id": Endpoint(
            "getSubmission",
            "A submission, and a link that anybody can download it by for a while; every call makes a new link",
            .ok(
                Schema.ref(
                    "Submission",
                    with: ["media_url": .text, "media_url_expires_in_seconds": .whole(1...Int.max)]
                ).asData
            )
        ),
        "POST /api/v1/submissions/:id/approve": Endpoint(
            "approveSubmission",
            "Approve a submission, once; its contributor is paid",
            .ok(Schema.ref("Submission").asData),
            refusals: [409: decided]
        ),
        "POST /api/v1/submissions/:id/reject": Endpoint(
            "rejectSubmission",
            "Reject a submission, once",
            .ok(Schema.ref("Submission").asData),
            body: .object([:], optional: ["note": .text(Submission.Limits.note).orNull]),
            bodyIsOptional: true,
            refusals: [409: decided]
        ),
    ]

    private static let decided = "It was decided on already, or its task takes no more decisions."

    private static let page: [Endpoint.Parameter] = [
        .query("limit", .whole(1...Page.longest), "Rows at most; \(Page.longest) without it."),
        .query("starting_after", .text, "The id of the last row that the caller has; those behind it follow."),
    ]

    // MARK: Contributors

    private static let contributors: [String: Endpoint] = [
        "GET /api/contributor/tasks": Endpoint(
            "listOpenTasks",
            "Open tasks of all tenants, newest first",
            .ok(.object(["tasks": .list(of: .ref("TaskOffer"))])),
            parameters: [
                .query("mode", mode, "`live` without it. Tasks of `test` pay nothing.")
            ]
        ),
        "POST /api/contributor/tasks/:id/uploads": Endpoint(
            "beginUpload",
            "A link for the recording, good for one PUT",
            .ok(
                .object([
                    "media_object_key": .text, "upload_url": .text, "expires_in_seconds": .whole(1...Int.max),
                ])
            ),
            body: .object(["byte_size": .whole(Submission.Limits.byteSize), "mime_type": videoType]),
            refusals: [409: notOpen]
        ),
        "POST /api/contributor/tasks/:id/submissions": Endpoint(
            "submitRecording",
            "Hand in a recording that was uploaded",
            .created(.ref("Submission")),
            body: .object([
                "media_object_key": .text(1...512).saying("As `uploads` gave it, within the last 23 hours."),
                "duration_seconds": .whole(Submission.Limits.durationSeconds),
            ]),
            refusals: [409: notOpen]
        ),
    ]

    private static let notOpen = "The task is not open."
    private static let mode = Schema.word(KeyMode.allCases.map(\.rawValue))

    private static let videoType = Schema.text(
        to: 127,
        pattern: "^[Vv][Ii][Dd][Ee][Oo]/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$",
        example: "video/mp4"
    )

    // MARK: Schemas

    static let schemas: [String: Schema] = [
        "NewCollectionTask": newTask,
        "CollectionTask": .object([
            "id": .text, "org_id": .text, "title": .text, "status": taskStatus, "budget_cents": .count,
            "funded_cents": .count, "reward_cents": .count, "target_submissions": .count, "approved_count": .count,
            "modalities": .list(of: .text), "device_requirement": .text,
            "funding_url": .text.orNull.saying("Null where there is no page to pay at, or not yet."),
            "created_at": .moment, "updated_at": .moment, "instructions": .text, "example_media_key": .text.orNull,
        ]),
        "TaskOffer": .object([
            "id": .text, "title": .text, "instructions": .text, "reward_cents": .count,
            "modalities": .list(of: .text), "device_requirement": .text,
        ]),
        "Submission": .object([
            "id": .text, "task_id": .text, "contributor_id": .text, "media_object_key": .text,
            "duration_seconds": .count, "byte_size": .count, "status": submissionStatus,
            "review_note": .text.orNull, "reviewed_at": .moment.orNull, "created_at": .moment,
        ]),
    ]

    private static let taskStatus = Schema.word(CollectionTask.Status.allCases.map(\.rawValue))
    private static let submissionStatus = Schema.word(Submission.Status.allCases.map(\.rawValue))

    private static let newTask = Schema.object(
        [
            "title": .text(CollectionTask.Limits.title, example: "Pouring a glass of water"),
            "instructions": .text(CollectionTask.Limits.instructions, example: "Film both hands from above."),
            "reward_cents": .whole(CollectionTask.Limits.rewardCents),
            "target_submissions": .whole(CollectionTask.Limits.targetSubmissions).saying(
                "Times `reward_cents` it may be \(CollectionTask.Limits.budgetCents) at most."
            ),
        ],
        optional: [
            "modalities": .list(of: .word(CollectionTask.Limits.modalities.sorted()), from: 1),
            "example_media_key": .text(CollectionTask.Limits.exampleMediaKey).orNull.saying("It must not hold `..`."),
        ]
    )
}
