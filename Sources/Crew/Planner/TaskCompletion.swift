import Domain

/// Fills in what a caller's tasks leave open (engine 3.13).
enum TaskCompletion {
    static func complete(_ given: [CrewTask]) -> [PlannedTask] {
        var taken = Set(given.compactMap(\.filename))
        return given.map { complete($0, taken: &taken) }
    }

    private static func complete(_ task: CrewTask, taken: inout Set<String>) -> PlannedTask {
        let rubric = task.rubric ?? rubric(ofTitle: task.title) ?? agentsRubric(task.agent) ?? .analytical
        return PlannedTask(
            id: task.id,
            title: task.title,
            description: task.description,
            agentSlug: task.agent ?? agent(for: rubric),
            rubric: rubric,
            dependsOn: task.dependsOn,
            filename: task.filename ?? freeFilename(ofTask: task.id, taken: &taken),
            optional: task.optional,
            expectedOutput: task.expectedOutput,
            model: task.model,
            maxTokens: task.maxTokens,
            simulate: task.simulate
        )
    }

    /// `a_b` and `a-b` may stand side by side, and another task may have asked for `a-b.md`.
    private static func freeFilename(ofTask id: String, taken: inout Set<String>) -> String {
        let name = PlannedTask.filename(ofTask: id)
        var candidate = name
        var copy = 2
        while !taken.insert(candidate).inserted {
            candidate = "\(name.dropLast(3))-\(copy).md"
            copy += 1
        }
        return candidate
    }

    private static func agentsRubric(_ slug: String?) -> Rubric? {
        slug.flatMap { AgentRoster.agent($0)?.rubric }
    }

    static func agent(for rubric: Rubric) -> String {
        switch rubric {
        case .analytical: "research_intelligence_analyst"
        case .writing: "executive_writer"
        case .strategic: "chief_strategist"
        case .quantitative: "financial_modeling_analyst"
        case .operational: "operations_consultant"
        case .technical: "technology_architect"
        case .risk: "risk_compliance_analyst"
        case .creative: "brand_strategist"
        }
    }

    /// The first rubric, in this order, of which the title holds a word.
    private static let titleWords: [(rubric: Rubric, words: String)] = [
        (.writing, "summary executive article report copy narrative memo letter newsletter blog"),
        (.risk, "risk compliance regulation regulatory legal gdpr audit privacy"),
        (
            .quantitative,
            "financial forecast model budget revenue cost valuation sensitivity roi cash pricing-model data"
        ),
        (.technical, "architecture technical technology platform migration system integration security software"),
        (.operational, "roadmap implementation process operations rollout plan schedule onboarding playbook"),
        (.creative, "creative concept campaign naming tagline story slogan"),
        (.strategic, "strategy strategic positioning options pricing vision recommendation"),
        (.analytical, "analysis research review audit landscape market competitor customer benchmark insight segment"),
    ]

    private static let titleStems = titleWords.map { (rubric: $0.rubric, stems: Set(Words.content(of: $0.words))) }

    static func rubric(ofTitle title: String) -> Rubric? {
        let words = Words.content(of: title)
        return titleStems.first { !$0.stems.isDisjoint(with: words) }?.rubric
    }
}
