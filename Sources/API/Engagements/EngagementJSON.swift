import Domain
import Stores

// The shapes of the engagements document: exactly these keys (contract E-2, E-15, E-16).

extension Engagement {
    var members: [String: JSON] {
        [
            "id": .string(id.rawValue), "tenantId": .string(tenant.rawValue), "name": .string(name),
            "client": .string(client), "slug": .string(slug), "brief": .string(brief),
            "budget": .number(budget.dollars), "tasks": tasks, "status": .string(status.rawValue),
            "createdAt": .string(createdAt.milliseconds),
        ]
    }
}

extension EngagementDetail {
    var json: JSON {
        var members = engagement.members
        let id = JSON.string(engagement.id.rawValue)
        members["runs"] = .array(runs.map { $0.json(engagement: id) })
        members["deliverables"] = .array(deliverables.map { $0.json(engagement: id) })
        return .object(members)
    }
}

extension RunRow {
    func json(engagement: JSON) -> JSON {
        [
            "id": .string(id.rawValue), "engagementId": engagement, "status": .string(status.rawValue),
            "startedAt": .string(startedAt.milliseconds), "finishedAt": .optional(finishedAt?.milliseconds),
            "estimatedCost": .number(spent.dollars), "inputTokens": .integer(inputTokens),
            "outputTokens": .integer(outputTokens), "error": .optional(error), "pauseSnapshot": pauseSnapshot ?? .null,
        ]
    }
}

extension DeliverableRow {
    func json(engagement: JSON) -> JSON {
        [
            "id": .string(id.rawValue), "engagementId": engagement, "taskId": .string(task),
            "filename": .string(filename), "content": .string(content), "version": .integer(version),
            "wordCount": .integer(wordCount), "createdAt": .string(createdAt.milliseconds),
        ]
    }
}

extension JSON {
    static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
}
