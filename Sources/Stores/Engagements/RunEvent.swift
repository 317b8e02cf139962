package import Domain

/// What a run tells the world: log lines and live events (contract E-42, E-46).
package enum RunEvent: Sendable, Equatable {
    case status(Engagement.Status)
    /// What the run has spent by then, as its row says when the event is written.
    case cost
    case log(agent: String, String)
    case taskComplete(String)

    var type: String {
        switch self {
        case .status: "status"
        case .cost: "cost"
        case .log: "log"
        case .taskComplete: "task_complete"
        }
    }

    /// Nil where only the database knows it.
    var data: JSON? {
        switch self {
        case .status(let status): ["status": .string(status.rawValue)]
        case .cost: nil
        case .log(let agent, let text): ["message": .string("[\(agent)] \(Self.line(text))")]
        case .taskComplete(let task): ["taskId": .string(task)]
        }
    }

    /// One line, bounded, without what Postgres or a terminal would choke on.
    private static func line(_ text: String) -> String {
        let clean = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
        return String(String(clean).prefix(1000))
    }
}
