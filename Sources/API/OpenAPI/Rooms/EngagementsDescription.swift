import Domain

/// Engagements, their runs and what can be seen of them (contract E-1 to E-59).
enum EngagementsDescription: RoomDescription {
    static let tag = "Engagements"

    static let endpoints: [String: Endpoint] = [
        "GET /api/engagements": Endpoint(
            "listEngagements",
            "All engagements of the tenant, newest first",
            .ok(.list(of: .ref("Engagement")))
        ),
        "POST /api/engagements": Endpoint(
            "createEngagement",
            "Create an engagement; nothing runs yet",
            .created(.ref("Engagement")),
            body: .ref("NewEngagement"),
            refusals: [403: "No write access, no active subscription, or the plan's monthly limit is reached."]
        ),
        "GET /api/engagements/:id": Endpoint(
            "getEngagement",
            "An engagement with its runs and deliverables, newest first",
            .ok(.ref("EngagementDetail"))
        ),
        "DELETE /api/engagements/:id": Endpoint(
            "deleteEngagement",
            "Delete an engagement with all that belongs to it",
            .ok(.ref("Success")),
            refusals: [409: "It is running: stop it first."]
        ),
        "POST /api/engagements/:id/run": Endpoint(
            "startRun",
            "Start a run; a crew does the rest",
            .ok(.ref("RunAnswer"), "Run and job are committed."),
            refusals: [
                403: "No write access, or no active subscription.",
                409: "It is running already, or paused.", 502: engine,
            ]
        ),
        "POST /api/engagements/:id/stop": control("stopRun", "Stop the run: it has failed, with `Stopped by user`"),
        "POST /api/engagements/:id/pause": control("pauseRun", "Pause the run: no further task begins"),
        "POST /api/engagements/:id/resume": control("resumeRun", "Go on with a paused run"),
        "GET /api/engagements/:id/status": Endpoint(
            "getStatus",
            "Where the newest run stands",
            .ok(.ref("RunStatus"))
        ),
        "GET /api/engagements/:id/logs": Endpoint(
            "getLogs",
            "Lines of the newest run's log, at most 1,000 a call",
            .ok(.ref("LogPage")),
            parameters: [.query("offset", .whole(0...Int.max), "Lines to pass over; 0 without it.")]
        ),
        "GET /api/engagements/:id/stream": Endpoint(
            "streamEvents",
            "The newest run's events as they happen (server-sent events)",
            .file("text/event-stream", "Events with `id`, and a `data` line of JSON with `type` and `timestamp`."),
            .empty(204, "The run has ended, and the caller has its last event: do not connect again."),
            parameters: [
                .header(
                    "Last-Event-ID",
                    .text,
                    "The id of the last event that was received; the stream goes on after it."
                )
            ],
            refusals: [502: "The stream cannot be served now."]
        ),
        "GET /api/engagements/:id/analytics": Endpoint(
            "getAnalytics",
            "Who took part in the newest whole run that is completed, and which models did the work",
            .ok(.ref("Analytics"))
        ),
        "GET /api/engagements/:id/quality": Endpoint(
            "getQuality",
            "How documents were judged, 0 to 10, also by reruns; `runId` is the newest run's, null before the first",
            .ok(.ref("Quality"))
        ),
        "GET /api/engagements/:id/export/pdf": Endpoint(
            "exportPDF",
            "The newest deliverables as one PDF",
            .file("application/pdf", "The file, as an attachment."),
            parameters: [
                .query("include_provenance", .text, "`true` adds the appendix AI Provenance; anything else does not.")
            ],
            refusals: [
                404: "There is no such engagement, or it has nothing to export.",
                503: "The file was not made in time, or no worker can make it.",
            ]
        ),
    ]

    private static let engine = "The engine takes no work now."

    private static func control(_ id: String, _ summary: String) -> Endpoint {
        Endpoint(
            id,
            summary,
            .ok(.ref("RunAnswer")),
            refusals: [409: "The run is in no state for it.", 502: engine]
        )
    }

    // MARK: Schemas

    static let status = Schema.word("pending", "running", "paused", "completed", "failed")
    static let runStatus = Schema.word("running", "paused", "completed", "failed")

    static let schemas: [String: Schema] = [
        "Engagement": .object(engagement),
        "EngagementDetail": .ref(
            "Engagement",
            with: ["runs": .list(of: .ref("Run")), "deliverables": .list(of: .ref("Deliverable"))]
        ),
        "NewEngagement": newEngagement,
        "CrewTask": crewTask,
        "Run": .object([
            "id": .text, "engagementId": .text, "status": runStatus, "startedAt": .moment,
            "finishedAt": .moment.orNull, "estimatedCost": .number, "inputTokens": .count, "outputTokens": .count,
            "error": .text.orNull, "pauseSnapshot": .map(of: .anything).orNull,
        ]),
        "Deliverable": .object([
            "id": .text, "engagementId": .text, "taskId": .text, "filename": .text, "content": .text,
            "version": .whole(1...Int.max), "wordCount": .count, "createdAt": .moment,
        ]),
        "RunAnswer": .object(["runId": .text, "status": runStatus, "message": .text]),
        "RunStatus": .object([
            "engagementId": .text, "status": status, "estimated_cost": .number, "steps": .count,
            "error": .text.orNull, "budget": .number,
        ]),
        "LogPage": .object(["logs": .list(of: .text), "total": .count, "status": status]),
        "Analytics": .object([
            "agents": .list(of: agent), "delegations": .list(of: delegation), "modelRouting": .list(of: routing),
        ]),
        "Quality": .object(
            ["runId": .text.orNull, "averageScore": .number.orNull, "scores": .list(of: score)],
            optional: ["runStatus": runStatus, "runStartedAt": .moment]
        ),
        "Success": .object(["success": Schema(["const": true])]),
    ]

    private static let engagement: [String: Schema] = [
        "id": .text, "tenantId": .text, "name": .text, "client": .text, "slug": .text, "brief": .text,
        "budget": .number.saying("The most that models may cost, in USD."),
        "tasks": .list(of: .anything).saying("As they were sent."), "status": status, "createdAt": .moment,
    ]

    private static let newEngagement = Schema.object(
        [
            "name": .text(to: 300, pattern: "\\S", example: "Go To Market Strategy"),
            "client": .text(to: 300, pattern: "\\S", example: "Acme"),
            "brief": .text(to: 200_000, pattern: "\\S", example: "A plan for the first year in Norway."),
        ],
        optional: [
            "budget": .number(from: 0.000_000_001, to: 100_000).orNull.saying("USD; 5 without it."),
            "tasks": .list(of: .any(of: .ref("CrewTask"), .text(from: 1, to: 200)), to: 100).orNull
                .saying("Tasks or their titles; without any the crew plans its own."),
        ]
    )

    private static let crewTask = Schema.object(
        ["name": .text(from: 1, to: 200)],
        optional: [
            "id": .text(pattern: "^[A-Za-z0-9_-]{1,64}$").orNull,
            "description": .text(to: 20_000).orNull,
            "agent": .word(AgentRoster.assignable.sorted()).orNull,
            "dependsOn": .list(of: .text).orNull.saying("Ids of tasks that come first: no circles."),
            "filename": .text(from: 1, to: 120).orNull.saying("A plain name; no two tasks share one."),
            "rubric": .word(Rubric.allCases.map(\.rawValue)).orNull,
            "expectedOutput": .text(to: 5_000).orNull,
            "model": .text(from: 1, to: 100).orNull,
            "maxTokens": .whole(1...128_000).orNull,
            "optional": .flag.orNull.saying("A failure of it does not fail the run."),
        ]
    )

    private static let agent = Schema.object([
        "slug": .text, "role": .text, "department": .text.orNull, "steps": .count,
        "models": .list(of: .object(["model": .text, "taskCount": .count])),
    ])

    private static let delegation = Schema.object(["from": .text, "to": .text, "count": .count])

    private static let score = Schema.object([
        "id": .text, "taskName": .text, "score": .number, "rubricType": .text, "feedback": .text, "createdAt": .moment,
    ])

    private static let routing = Schema.object([
        "taskId": .text, "agentSlug": .text, "agentRole": .text, "department": .text.orNull, "selectedModel": .text,
        "observerScore": .number.orNull, "cost": .number,
    ])
}
