import Domain
import Stores

/// What `POST /api/engagements` sends, checked (contract E-6 to E-12).
struct EngagementDraft {
    /// Characters a brief may have.
    private static let briefLimit = 200_000

    /// - Throws: 400 that says which field is wrong.
    static func parse(_ body: [String: JSON], allowSimulation: Bool) throws -> EngagementStore.Draft {
        guard let name = text(body["name"]), let client = text(body["client"]), let brief = text(body["brief"]) else {
            throw APIError.invalid("Name, client, and brief are required")
        }
        guard name.count <= 300, client.count <= 300 else {
            throw APIError.invalid("Name and client may have at most 300 characters")
        }
        guard brief.utf8.count <= briefLimit else {
            throw APIError.invalid("Brief may have at most \(briefLimit) bytes")
        }
        return EngagementStore.Draft(
            name: name,
            client: client,
            brief: brief,
            budget: try budget(body["budget"]),
            tasks: try tasks(body["tasks"], allowSimulation: allowSimulation)
        )
    }

    /// The text as sent; nil when it is missing, no string, or blank.
    private static func text(_ value: JSON?) -> String? {
        guard let text = value?.stringValue, text.contains(where: { !$0.isWhitespace }) else { return nil }
        return text
    }

    private static func budget(_ value: JSON?) throws -> NanoUSD {
        guard let value, value != .null else { return NanoUSD(nanos: 5_000_000_000) }
        guard let dollars = value.doubleValue, dollars > 0, dollars <= 100_000, let budget = NanoUSD(dollars: dollars),
            budget > .zero
        else { throw APIError.invalid("Budget must be a positive number") }
        return budget
    }

    private static func tasks(_ value: JSON?, allowSimulation: Bool) throws -> JSON {
        guard let value, value != .null else { return [] }
        do {
            _ = try CrewTask.parse(value, knownAgents: AgentRoster.assignable, allowSimulation: allowSimulation)
        } catch {
            throw APIError.invalid(error.message)
        }
        return value
    }
}
