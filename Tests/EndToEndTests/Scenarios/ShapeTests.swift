import Domain
import TestSupport
import Testing

extension ScenarioTests {
    private static let quiet: JSON = ["runId": nil, "averageScore": nil, "scores": []]
    private static let bare: JSON = ["agents": [], "delegations": [], "modelRouting": []]

    @Test(
        "SC-16, E-14 to E-16, E-21, E-38, E-41, E-50 to E-54: what is shown of an engagement that never ran, of its completed run, and beside a second one"
    )
    func shapes() async throws {
        let k1 = try await #require(Scene.current).house.customer(.enterprise).key()
        let id = try await k1.a.create([
            .task("market-analysis", 3_000, 0.10), .task("executive-summary", 100, 0.20, after: "market-analysis"),
        ])
        let path = "/api/engagements/\(id)"
        #expect(try await k1.b.call("GET", path + "/quality").body == Self.quiet)
        #expect(try await k1.b.call("GET", path + "/analytics").body == Self.bare)
        try await status(path, "pending", cost: 0, steps: 0, k1.b)
        let first = try begun(try await k1.a.ask("POST", path + "/run"))
        try await k1.b.wait(id, for: "completed")
        try await status(path, "completed", cost: 0.3, steps: 2, k1.b)
        try await scores(path, first, k1.a)
        let analytics = try await k1.b.call("GET", path + "/analytics").body
        try shape(of: analytics, cost: 0.3)
        let second = try begun(try await k1.b.ask("POST", path + "/run", "{}"))
        let fresh: JSON = ["runId": .string(second), "averageScore": nil, "scores": []]
        #expect(try await k1.a.call("GET", path + "/quality").body == fresh)
        #expect(try await k1.a.call("GET", path + "/analytics").body == analytics)
        try await status(path, "running", cost: 0, steps: 0, k1.b)
        try await k1.a.wait(id, for: "completed")
        try await detail(path, [second, first], k1.b)
    }

    private func keys(_ json: JSON?) -> Set<String> { Set(json?.objectValue?.keys.map(\.self) ?? []) }

    private func begun(_ answer: Answer) throws -> String {
        #expect(answer.status == 200 && keys(answer.body) == ["runId", "status", "message"])
        return try #require(answer.body["runId"]?.stringValue)
    }

    private func status(_ path: String, _ word: String, cost: Double, steps: Int, _ caller: Caller) async throws {
        let status = try await caller.call("GET", path + "/status").body
        #expect(keys(status) == ["engagementId", "status", "estimated_cost", "steps", "error", "budget"])
        #expect(status["status"]?.stringValue == word && status["estimated_cost"]?.doubleValue == cost)
        #expect(status["steps"]?.intValue == steps && status["error"] == .null && status["budget"]?.doubleValue == 5)
        #expect(status["engagementId"]?.stringValue.map { path.hasSuffix($0) } == true)
    }

    private func scores(_ path: String, _ run: String, _ caller: Caller) async throws {
        let quality = try await caller.call("GET", path + "/quality").body
        #expect(keys(quality) == ["runId", "averageScore", "runStatus", "runStartedAt", "scores"])
        #expect(quality["runId"]?.stringValue == run && quality["runStatus"] == "completed")
        let scores = quality["scores"]?.arrayValue ?? []
        let members: Set = ["id", "taskName", "score", "rubricType", "feedback", "createdAt"]
        #expect(scores.count == 2 && scores.allSatisfy { keys($0) == members })
        let tenths = scores.compactMap { $0["score"]?.doubleValue.map { Int(($0 * 10).rounded()) } }
        // Half up to one decimal.
        let mean = Double((2 * tenths.reduce(0, +) + tenths.count) / (2 * tenths.count)) / 10
        #expect(quality["averageScore"]?.doubleValue == mean)
    }

    private func shape(of analytics: JSON, cost: Double) throws {
        #expect(keys(analytics) == ["agents", "delegations", "modelRouting"])
        let agents = analytics["agents"]?.arrayValue ?? []
        let delegations = analytics["delegations"]?.arrayValue ?? []
        let routes = analytics["modelRouting"]?.arrayValue ?? []
        #expect(
            agents.count == 2 && agents.allSatisfy { keys($0) == ["slug", "role", "department", "steps", "models"] }
        )
        let models = agents.flatMap { $0["models"]?.arrayValue ?? [] }
        #expect(models.count == 2 && models.allSatisfy { keys($0) == ["model", "taskCount"] })
        #expect(!delegations.isEmpty && delegations.allSatisfy { keys($0) == ["from", "to", "count"] })
        let members: Set = [
            "taskId", "agentSlug", "agentRole", "department", "selectedModel", "observerScore", "cost",
        ]
        #expect(routes.count == 2 && routes.allSatisfy { keys($0) == members })
        let words = agents.flatMap { [$0["role"], $0["department"]] } + routes.map { $0["agentRole"] }
        #expect(words.allSatisfy { $0?.stringValue?.isEmpty == false })
        #expect(abs(routes.compactMap { $0["cost"]?.doubleValue }.reduce(0, +) - cost) < 1e-9)
    }

    private func detail(_ path: String, _ ids: [String], _ caller: Caller) async throws {
        let shown = try await caller.call("GET", path).body
        #expect(keys(shown) == Self.engagementKeys.union(["runs", "deliverables"]))
        let runs = shown["runs"]?.arrayValue ?? []
        #expect(runs.compactMap { $0["id"]?.stringValue } == ids)
        let members: Set = [
            "id", "engagementId", "status", "startedAt", "finishedAt", "estimatedCost", "inputTokens", "outputTokens",
            "error", "pauseSnapshot",
        ]
        #expect(runs.allSatisfy { keys($0) == members && $0["status"] == "completed" })
        #expect(runs.allSatisfy { $0["error"] == .null && $0["pauseSnapshot"] == .null })
        let documents = shown["deliverables"]?.arrayValue ?? []
        let parts: Set = [
            "id", "engagementId", "taskId", "filename", "content", "version", "wordCount", "createdAt",
        ]
        #expect(documents.allSatisfy { keys($0) == parts })
        let times = documents.compactMap { $0["createdAt"]?.stringValue }
        #expect(times == times.sorted(by: >))
        for name in ["market-analysis.md", "executive-summary.md"] {
            #expect(
                documents.filter { $0["filename"]?.stringValue == name }.map { $0["version"] } == [2, 1],
                "\(name)"
            )
        }
        #expect(documents.contains { $0["filename"]?.stringValue?.hasPrefix("_") == true })
    }
}
