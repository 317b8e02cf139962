import Domain
import Stores

/// Deliverables and what people think of them (contract S-30 to S-33).
enum DeliverablesDescription: RoomDescription {
    static let tag = "Deliverables"

    static let endpoints: [String: Endpoint] = [
        "GET /api/engagements/:id/deliverables": Endpoint(
            "listDeliverables",
            "The newest version of each deliverable, without its text",
            .ok(.list(of: .ref("DeliverableSummary"))),
            parameters: [
                .query(
                    "include_internal",
                    .text,
                    "`true` lists files of the crew itself too, whose names begin with `_`."
                )
            ]
        ),
        "GET /api/engagements/:id/deliverables/:document/versions": Endpoint(
            "listVersions",
            "All versions of a file, newest first, with their text; `document` is the file's name",
            .ok(.list(of: .ref("DeliverableSummary", with: ["content": .text])))
        ),
        "POST /api/engagements/:id/deliverables/:document/review": Endpoint(
            "reviewDeliverable",
            "Decide on a deliverable, once; `document` is its id",
            .ok(
                .ref(
                    "DeliverableSummary",
                    with: ["reviewComment": .text.orNull, "reviewedAt": .moment.orNull]
                )
            ),
            body: .object(
                ["action": .word("approve", "request_revision", "reject")],
                optional: ["comment": .text(to: 10_000).orNull]
            ),
            refusals: [409: "It was decided on already."]
        ),
        "GET /api/engagements/:id/deliverables/:document/export": Endpoint(
            "exportDeliverable",
            "A deliverable as a file; `document` is its id",
            .file("text/markdown", "The file, as an attachment; `application/pdf` where `format` is `pdf`."),
            parameters: [.query("format", .word("md", "pdf"), "`md`, which is the default, or `pdf`.")],
            refusals: [503: "The PDF was not made in time, or no worker can make it."]
        ),
        "POST /api/engagements/:id/deliverables/:document/rerun": Endpoint(
            "rerunDeliverable",
            "Make a document anew, as a run of its task alone; `document` is its id",
            .ok(.ref("RunAnswer"), "Run and job are committed."),
            body: .object([:], optional: ["feedback": .text(to: 10_000).orNull.saying("What shall be different.")]),
            bodyIsOptional: true,
            refusals: [
                403: "No write access, or no active subscription.",
                409: "A run is under way or paused, the budget is spent, or no task wrote the file.",
                502: "The engine takes no work now.",
            ]
        ),
    ]

    static let schemas: [String: Schema] = [
        "DeliverableSummary": .object([
            "id": .text, "filename": .text, "version": .whole(1...Int.max), "wordCount": .count, "taskId": .text,
            "reviewStatus": .text, "createdAt": .moment,
        ])
    ]
}
