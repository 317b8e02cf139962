/// A task as the caller configured it (contract D-22, engine 3.13), checked, with its edges settled.
///
/// What the caller left out stays nil; the planner fills it in.
package struct CrewTask: Sendable, Hashable {
    /// Unique among the tasks; taken from the title where the caller gave none.
    package var id: String
    /// At most 200 characters, no control characters.
    package var title: String
    /// At most 20,000 characters; empty where the caller said nothing.
    package var description: String
    /// A slug of the roster.
    package var agent: String?
    /// Ids of tasks that come first. Acyclic; each exists.
    package var dependsOn: [String]
    /// A plain name of at most 120 characters: no folders, no leading `_` or dot.
    package var filename: String?
    package var rubric: Rubric?
    /// At most 5,000 characters.
    package var expectedOutput: String?
    /// The model to use instead of the routed one.
    package var model: String?
    /// The most tokens of output, 1 to 128,000.
    package var maxTokens: Int?
    /// A failure of an optional task only cuts its own edges.
    package var optional: Bool
    /// Set only where simulation is allowed.
    package var simulate: Simulation?

    package init(
        id: String,
        title: String,
        description: String = "",
        agent: String? = nil,
        dependsOn: [String] = [],
        filename: String? = nil,
        rubric: Rubric? = nil,
        expectedOutput: String? = nil,
        model: String? = nil,
        maxTokens: Int? = nil,
        optional: Bool = false,
        simulate: Simulation? = nil
    ) {
        self.id = id
        self.title = title
        self.description = description
        self.agent = agent
        self.dependsOn = dependsOn
        self.filename = filename
        self.rubric = rubric
        self.expectedOutput = expectedOutput
        self.model = model
        self.maxTokens = maxTokens
        self.optional = optional
        self.simulate = simulate
    }

    /// The most tasks of one engagement.
    package static let limit = 100
}

/// A task that only pretends, for tests (decision D-130, `GC_SIMULATE=1`).
package struct Simulation: Sendable, Hashable, Codable {
    /// How long the call takes, 0 to 600,000 ms.
    package var milliseconds: Int
    /// What it is said to cost.
    package var cost: NanoUSD
    /// Whether every attempt fails.
    package var fail: Bool
    /// How many pieces the text arrives in, 1 to 10,000.
    package var steps: Int
    /// How many attempts fail before one succeeds, 0 to 100.
    package var failTimes: Int
    /// What it asks colleagues first, instead of writing; at most 20.
    package var delegate: [DelegatedQuestion]

    package init(
        milliseconds: Int = 0,
        cost: NanoUSD = .zero,
        fail: Bool = false,
        steps: Int = 1,
        failTimes: Int = 0,
        delegate: [DelegatedQuestion] = []
    ) {
        self.milliseconds = milliseconds
        self.cost = cost
        self.fail = fail
        self.steps = steps
        self.failTimes = failTimes
        self.delegate = delegate
    }

    private enum CodingKeys: String, CodingKey {
        case milliseconds = "ms"
        case nanos = "costNanos"
        case fail, steps, failTimes, delegate
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            milliseconds: try container.decode(Int.self, forKey: .milliseconds),
            cost: NanoUSD(nanos: try container.decode(Int64.self, forKey: .nanos)),
            fail: try container.decode(Bool.self, forKey: .fail),
            steps: try container.decode(Int.self, forKey: .steps),
            failTimes: try container.decode(Int.self, forKey: .failTimes),
            delegate: try container.decodeIfPresent([DelegatedQuestion].self, forKey: .delegate) ?? []
        )
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(milliseconds, forKey: .milliseconds)
        try container.encode(cost.nanos, forKey: .nanos)
        try container.encode(fail, forKey: .fail)
        try container.encode(steps, forKey: .steps)
        try container.encode(failTimes, forKey: .failTimes)
        if !delegate.isEmpty { try container.encode(delegate, forKey: .delegate) }
    }
}

/// Why a caller's `tasks` were refused: the text of a 400, naming the item (contract E-12).
package struct CrewTaskFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// `tasks[2].dependsOn: unknown task "x"`.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }

    /// A caller's own word in quotes: cut at 64 characters, control characters left out.
    package static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.filter { !TaskText.isControl($0) }
        let cut = plain.prefix(64)
        return "\"" + String(String.UnicodeScalarView(cut)) + (plain.count > 64 ? "…" : "") + "\""
    }
}
