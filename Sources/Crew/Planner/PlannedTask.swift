package import Domain

/// A task with nothing left open: what the ledger keeps, as JSON, for every task of a run.
package struct PlannedTask: Sendable, Hashable, Codable {
    package var id: String
    package var title: String
    /// What the agent is told to do; may be empty.
    package var description: String
    package var agentSlug: String
    package var rubric: Rubric
    package var dependsOn: [String]
    /// The deliverable's name; unique in the plan.
    package var filename: String
    /// A failure of an optional task only cuts its own edges.
    package var optional: Bool
    package var expectedOutput: String?
    /// The caller's choice of model; nil leaves it to the routes.
    package var model: String?
    /// The caller's limit on output tokens; nil leaves it to the agent's tier.
    package var maxTokens: Int?
    package var simulate: Simulation?
    /// Set where the task's document is made anew, alone (contract S-33).
    package var rerun: TaskRerun?
    /// Set where the task answers a question of another one: the id of that one (engine 3.9).
    package var askedBy: String?
    /// What the task has asked colleagues; it asks once.
    package var asked: [DelegatedQuestion]?
    /// Why it may not ask, after it has tried: its next answer must be the document.
    package var refused: String?

    package init(
        id: String,
        title: String,
        description: String,
        agentSlug: String,
        rubric: Rubric,
        dependsOn: [String] = [],
        filename: String,
        optional: Bool = false,
        expectedOutput: String? = nil,
        model: String? = nil,
        maxTokens: Int? = nil,
        simulate: Simulation? = nil
    ) {
        self.id = id
        self.title = title
        self.description = description
        self.agentSlug = agentSlug
        self.rubric = rubric
        self.dependsOn = dependsOn
        self.filename = filename
        self.optional = optional
        self.expectedOutput = expectedOutput
        self.model = model
        self.maxTokens = maxTokens
        self.simulate = simulate
    }

    /// `market_analysis` writes `market-analysis.md`.
    package static func filename(ofTask id: String) -> String {
        var stem = id.replacing("_", with: "-")
        // A leading underscore is the system's mark, and became a dash: no name of ours begins with one.
        while stem.hasPrefix("-") { stem.removeFirst() }
        return (stem.isEmpty ? "task" : stem) + ".md"
    }

    /// The agent's tier; `small` where the roster does not know the slug.
    package var tier: CrewAgent.Tier { AgentRoster.agent(agentSlug)?.tier ?? .small }

    /// The most tokens of output: the caller's limit, else what documents of the tier need.
    package var outputLimit: Int {
        if let maxTokens { return maxTokens }
        return switch tier {
        case .observer: 512
        case .small: 2_048
        case .mid: 3_072
        case .large: 4_096
        }
    }
}
