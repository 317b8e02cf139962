/// The mails there are. The strings are stored.
package enum MailTemplate: String, Sendable, CaseIterable {
    case runStarted = "run_started"
    case runCompleted = "run_completed"
    case runFailed = "run_failed"
    case endpointDisabled = "endpoint_disabled"

    /// What it says.
    ///
    /// - Parameter data: what was true when the mail was written: an object, for runs with the members of the webhook of
    ///   the same name. Missing members leave gaps, never an error.
    package func words(_ data: JSON) -> (subject: String, text: String) {
        let facts = Facts(data)
        switch self {
        case .runStarted:
            return (
                "Started: \(facts["name"])",
                facts.letter("The crew has begun to work on \"\(facts["name"])\" for \(facts["client"]).", Self.run)
            )
        case .runCompleted:
            return (
                "Completed: \(facts["name"])",
                facts.letter("The work on \"\(facts["name"])\" for \(facts["client"]) is done.", Self.run)
            )
        case .runFailed:
            return (
                "Failed: \(facts["name"])",
                facts.letter(
                    "The run of \"\(facts["name"])\" for \(facts["client"]) has failed: \(facts["error"])\n\n"
                        + "Documents that were finished are kept.",
                    Self.run
                )
            )
        case .endpointDisabled:
            return (
                "Webhook endpoint disabled",
                facts.letter(
                    "We stopped sending events to \(facts["url"]): \(facts["reason"]).\n\n"
                        + "Events are kept. Put the endpoint right, then enable it with\n"
                        + "PATCH /api/v1/webhook-endpoints/\(facts["endpointId"]) {\"enabled\": true}",
                    "You get this mail because you own the account."
                )
            )
        }
    }

    private static let run = "You get this mail because you started the run, or made the API key that did."
}

/// The members of a mail's data, as people read them.
private struct Facts {
    private let data: JSON

    init(_ data: JSON) {
        self.data = data
    }

    subscript(_ name: String) -> String {
        switch data[name] {
        case .string(let text): text
        case .none, .null: ""
        case .some(let value): value.text
        }
    }

    /// What happened, the facts that are known, and why the reader gets it.
    func letter(_ opening: String, _ reason: String) -> String {
        let lines = [
            ("Engagement", "engagementId"), ("Run", "runId"), ("Endpoint", "endpointId"), ("Started", "startedAt"),
            ("Finished", "finishedAt"), ("Documents", "deliverables"), ("Cost (USD)", "estimatedCost"),
        ].filter { !self[$0.1].isEmpty }
            .map { label, name in
                label + String(repeating: " ", count: max(1, 12 - label.count)) + self[name]
            }
        return opening + "\n\n" + lines.joined(separator: "\n") + "\n\n" + reason + "\n"
    }
}
