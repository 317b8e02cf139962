import Domain

/// One row of the routing table (engine 3.5).
struct RouteRow {
    struct Entry {
        let provider: String
        let model: String

        static let nano = Entry(provider: ModelProvider.openAI, model: "gpt-4.1-nano")
        static let mini = Entry(provider: ModelProvider.openAI, model: "gpt-4.1-mini")
        static let large = Entry(provider: ModelProvider.openAI, model: "gpt-4.1")
        static let judge = Entry(provider: ModelProvider.openAI, model: "gpt-4o-mini")
        static let haiku = Entry(provider: ModelProvider.anthropic, model: "claude-haiku-4-5")
        static let sonnet = Entry(provider: ModelProvider.anthropic, model: "claude-sonnet-4-6")
    }

    let first: Entry
    let cheaper: Entry
    let other: Entry
    let reason: ModelRoute.Reason

    private init(_ first: Entry, _ cheaper: Entry, _ other: Entry, reason: ModelRoute.Reason = .default) {
        self.first = first
        self.cheaper = cheaper
        self.other = other
        self.reason = reason
    }

    /// Prompts longer than this go to the larger of the small models.
    static let longPrompt = 16_000

    static func row(for question: RouteQuestion) -> RouteRow {
        switch question.kind {
        case .observe: return RouteRow(.judge, .nano, .haiku)
        case .plan, .summarise: return RouteRow(.mini, .nano, .haiku)
        case .work, .revise: break
        }
        switch question.rubric {
        case .strategic, .writing, .creative: return RouteRow(.sonnet, .mini, .large)
        case .analytical, .quantitative, .operational, .risk, .technical:
            let isLarger = question.promptTokens > longPrompt || question.scoredLow
            return isLarger ? RouteRow(.mini, .nano, .haiku, reason: .context) : RouteRow(.nano, .nano, .haiku)
        }
    }

    /// Where the first choice's provider is not configured, the other provider's model takes its place.
    static func ordered(_ routes: [ModelRoute], isFirstThere: Bool) -> [ModelRoute] {
        guard !isFirstThere else { return routes }
        var routes = routes
        guard let place = routes.firstIndex(where: { $0.reason == .failover }) ?? routes.indices.first else {
            return []
        }
        let route = routes.remove(at: place)
        return [ModelRoute(provider: route.provider, model: route.model, reason: .default)] + routes
    }
}
