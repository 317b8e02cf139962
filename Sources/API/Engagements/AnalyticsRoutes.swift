import Domain
import Stores

/// `GET /api/engagements/:id/analytics` (contract E-53, E-54).
struct AnalyticsRoutes: Routes {
    let runs: RunStore

    var table: [Route] { [.get("/api/engagements/:id/analytics", use: analytics)] }

    @Sendable
    func analytics(_ request: APIRequest) async throws -> APIResponse {
        guard let tasks = try await runs.routedTasks(of: request.id(), request.caller.tenant) else {
            throw APIError.noRoute
        }
        return .ok(RunAnalytics(tasks).json)
    }
}

/// Who took part in a run, who gave them the work, and which models did it.
struct RunAnalytics {
    /// The agent whose plan hands out every task: the plan counts as its delegation.
    private static let planner = "chief_strategist"

    private let tasks: [RoutedTask]
    /// In the order of their first task.
    private let agents: [(slug: String, tasks: [RoutedTask])]

    init(_ tasks: [RoutedTask]) {
        self.tasks = tasks
        agents = Self.grouped(tasks, by: \.agent).map { (slug: $0, tasks: $1) }
    }

    var json: JSON {
        [
            "agents": .array(agents.map { Self.agent($0.slug, $0.tasks) }),
            "delegations": .array(delegations),
            "modelRouting": .array(tasks.map(Self.routing)),
        ]
    }

    private static func agent(_ slug: String, _ tasks: [RoutedTask]) -> JSON {
        let models = grouped(tasks, by: \.model).map { model, tasks -> JSON in
            ["model": .string(model), "taskCount": .integer(tasks.count)]
        }
        return [
            "slug": .string(slug), "role": role(slug), "department": department(slug),
            "steps": .integer(tasks.reduce(0) { $0 + $1.steps }), "models": .array(models),
        ]
    }

    /// One entry for each pair: who gave work, by the plan or by a question, and who got it.
    private var delegations: [JSON] {
        let given = tasks.filter { $0.agent != $0.askedBy ?? Self.planner }
        return Self.grouped(given) { Pair(from: $0.askedBy ?? Self.planner, to: $0.agent) }.map { pair, tasks -> JSON in
            ["from": .string(pair.from), "to": .string(pair.to), "count": .integer(tasks.count)]
        }
    }

    private struct Pair: Hashable {
        let from: String
        let to: String
    }

    private static func routing(_ task: RoutedTask) -> JSON {
        [
            "taskId": .string(task.id), "agentSlug": .string(task.agent), "agentRole": role(task.agent),
            "department": department(task.agent), "selectedModel": .string(task.model),
            "observerScore": task.score.map { JSON.number(Double($0) / 10) } ?? .null,
            "cost": .number(task.cost.dollars),
        ]
    }

    private static func role(_ slug: String) -> JSON { .string(AgentRoster.agent(slug)?.role ?? slug) }

    private static func department(_ slug: String) -> JSON { .optional(AgentRoster.agent(slug)?.department) }

    /// Groups in the order in which they first appear.
    private static func grouped<Key: Hashable>(
        _ tasks: [RoutedTask],
        by key: (RoutedTask) -> Key
    ) -> [(Key, [RoutedTask])] {
        var order: [Key] = []
        var groups: [Key: [RoutedTask]] = [:]
        for task in tasks {
            let name = key(task)
            if groups[name] == nil { order.append(name) }
            groups[name, default: []].append(task)
        }
        return order.map { ($0, groups[$0] ?? []) }
    }
}
