import Domain
import Stores

/// Files of an engagement, what the crew knows of them, and the links that they are had by (contract, S-34).
enum AttachmentsDescription: RoomDescription {
    static let tag = "Attachments"

    static let endpoints: [String: Endpoint] = [
        "GET /api/engagements/:id/attachments": Endpoint(
            "listAttachments",
            "All files of an engagement, oldest first",
            .ok(.object(["attachments": .list(of: .ref("Attachment"))]))
        ),
        "POST /api/engagements/:id/attachments": upload,
        "POST /api/engagements/:id/attachments/from-url": fromURL,
        "GET /api/engagements/:id/attachments/:attachment": Endpoint(
            "getAttachment",
            "A file, and a link that anybody can download it by for a while; every call makes a new link",
            .ok(.object(["attachment": .ref("Attachment"), "downloadUrl": .text]))
        ),
        "DELETE /api/engagements/:id/attachments/:attachment": Endpoint(
            "deleteAttachment",
            "Delete a file; the crew's index is built anew without it",
            .ok(.ref("Success"))
        ),
        "GET /api/engagements/:id/context": Endpoint(
            "getContext",
            "What the crew knows of the files; with `q`, the passages that it would find",
            .ok(.any(of: .ref("ContextState"), .ref("ContextHits"))),
            parameters: [
                .query("q", .text(ContextRoutes.query), "What to look for. Without it the state is told."),
                .query("limit", .whole(ContextRoutes.limits), "Passages at most; 10 without it."),
            ]
        ),
        "GET /storage/v1/object/sign/:bucket/:shard/:name": download,
        "PUT /storage/v1/object/upload/sign/:bucket/:shard/:name": put,
    ]

    private static let tooSlow = "The body came too slowly."

    // MARK: Into an engagement

    private static let upload = Endpoint(
        "uploadAttachment",
        "Add a file; its type is that of its name's extension, and must be that of its bytes",
        .created(.object(["attachment": .ref("Attachment")])),
        body: .object(
            ["file": .bytes.saying("With a filename. As large as the plan allows.")],
            optional: [
                "category": category.saying("`reference` without it."), "summary": .text(to: 2000),
            ]
        ),
        bodyType: "multipart/form-data",
        refusals: [
            400: "No form or no file, a type that is not supported, a value that is not allowed, or the file is over "
                + "the plan's limit for one file.",
            408: tooSlow,
            413: full,
        ]
    )

    private static let fromURL = Endpoint(
        "attachFromURL",
        "Fetch a page and keep its text as a file",
        .created(.object(["attachment": .ref("Attachment")])),
        body: .object(
            ["url": url],
            optional: ["category": category.saying("`reference` without it.")]
        ),
        refusals: [
            400: "The url cannot be read, or leads to an address that is not public.",
            413: "The body is larger than 1 MiB, or the storage of the plan is full.",
            422: "The page could not be fetched, or has no text.",
            502: "The engine takes no work now.",
            503: "The page was not there in time, or no worker can fetch it.",
        ]
    )

    private static let full = "The storage of the plan is full."

    private static let url = Schema.text(
        pattern: "^[Hh][Tt][Tt][Pp][Ss]?://",
        example: "https://example.com/blog/post"
    ).saying("A public address at port 80, 443, 8080 or 8443; no credentials.")

    private static let category = Schema.word(Attachment.Category.allCases.map(\.rawValue))

    // MARK: By a link

    private static let token = Endpoint.Parameter.query("token", .text, "As the link has it.")
    private static let signature = "The link has expired, or was changed."

    private static let download = Endpoint(
        "downloadObject",
        "What a `downloadUrl` or `media_url` leads to",
        .file("*/*", "The object, as an attachment.").with("ETag", "Accept-Ranges"),
        .file("*/*", "The part that `Range` asks for.", status: 206).with("ETag", "Accept-Ranges", "Content-Range"),
        .empty(416, "The object has no such part.").with("Content-Range"),
        parameters: [
            token,
            .header("Range", .text, "One range of bytes, `bytes=0-1023`; anything else gets the whole object."),
            .header("If-Range", .text, "The `ETag` of the part that the caller has: `Range` counts only with it."),
        ],
        refusals: [403: signature, 404: "The object was deleted."]
    )

    private static let put = Endpoint(
        "uploadObject",
        "What an `upload_url` leads to: the body is the object, whole and once",
        .ok(.object(["key": .text])),
        parameters: [token],
        body: .bytes.saying("With Content-Length, of the type that the link was made for."),
        bodyType: "*/*",
        refusals: [
            400: "No Content-Length, no bytes or too few, or another type than the link is for.",
            403: signature,
            408: tooSlow,
            409: "The object was uploaded already, or is just being uploaded.",
            413: "More bytes than the link is for.",
        ]
    )

    // MARK: Schemas

    static let schemas: [String: Schema] = [
        "Attachment": .object(
            [
                "id": .text, "filename": .text, "mimeType": .text, "sizeBytes": .count, "category": category,
                "summary": .text.orNull, "uploadedBy": .text.orNull, "createdAt": .moment,
            ],
            optional: ["sourceUrl": .text.saying("Where it was fetched from.")]
        ),
        "ContextState": .object([
            "generation": .count.saying("The newest index that is whole; 0 before the first."),
            "wanted": .count.saying("The one that covers every change so far."),
            "state": .word("building", "empty", "ready"), "manifest": manifest.orNull,
            "index": .object(["chunks": .count, "tokens": .count]),
        ]),
        "ContextHits": .object(["query": .text, "generation": .count, "hits": .list(of: hit)]),
    ]

    private static let manifest = Schema.object([
        "generation": .count, "engagementId": .text, "totalBytes": .count,
        "attachments": .list(
            of: .object([
                "id": .text, "filename": .text, "mimeType": .text, "sizeBytes": .count, "sha256": .text,
                "category": category, "summary": .text.orNull, "sourceUrl": .text.orNull, "textStatus": .text,
                "chunks": .count,
            ])
        ),
    ])

    private static let hit = Schema.object([
        "attachmentId": .text, "filename": .text, "place": place, "citation": .text,
        "score": .number.saying("Higher is better; only hits of one query can be compared."), "text": .text,
    ])

    private static let place = Schema.object(
        [:],
        optional: [
            "headings": .list(of: .text).saying("From the outermost to the nearest."), "page": .whole(1...Int.max),
            "sheet": .text, "rows": .list(of: .whole(1...Int.max), from: 2, to: 2), "part": .whole(1...Int.max),
        ]
    )
}
