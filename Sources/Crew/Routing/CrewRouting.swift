/// What a step does, as far as the choice of a model goes (engine 3.2, 3.5).
package enum StepKind: String, Sendable, Codable, CaseIterable {
    case work, revise, observe, plan, summarise
}

/// A model to try, and why it is this one.
package struct ModelRoute: Sendable, Hashable {
    /// The strings are stored, and shown in the run report.
    package enum Reason: String, Sendable, Codable, CaseIterable {
        /// The table's choice.
        case `default`
        /// The caller or the operator named the model.
        case override
        /// A cheaper one, because the budget is short.
        case budget
        /// Another provider, because the first is down.
        case failover
        /// A larger one, because the prompt is long or an earlier score was low.
        case context
    }

    package let provider: String
    package let model: String
    package let reason: Reason

    package init(provider: String, model: String, reason: Reason) {
        self.provider = provider
        self.model = model
        self.reason = reason
    }
}

/// Chooses models. Pure: the same question always gives the same answer.
package struct CrewRouting: Sendable {
    package let prices: PriceTable
    private let providers: Set<String>
    private let defaultModel: String?

    /// - Parameters:
    ///   - prices: what models cost and take.
    ///   - providers: those with credentials or an endpoint, by name; none at all means the offline one.
    ///   - defaultModel: the operator's one model for every task, instead of the table's.
    package init(prices: PriceTable, providers: Set<String>, defaultModel: String? = nil) {
        self.prices = prices
        self.providers = providers
        self.defaultModel = defaultModel
    }

    /// Whether any route leads to a language model; if not, the run's first log line says so.
    package var isOffline: Bool { providers.isEmpty }

    /// The models for a step, best first. Those that are down are left out, and what cannot hold the prompt too.
    package func candidates(for question: RouteQuestion) -> [ModelRoute] {
        if question.simulated != nil {
            guard !question.down.contains(ModelProvider.simulated) else { return [] }
            return [ModelRoute(provider: ModelProvider.simulated, model: ModelProvider.simulated, reason: .override)]
        }
        guard !isOffline else {
            guard !question.down.contains(ModelProvider.offline) else { return [] }
            return [ModelRoute(provider: ModelProvider.offline, model: ModelProvider.offlineModel, reason: .default)]
        }
        var seen: Set<String> = []
        return (override(question) + table(question)).filter { route in
            !question.down.contains(route.provider) && holds(route, question) && seen.insert(route.model).inserted
        }
    }

    private func override(_ question: RouteQuestion) -> [ModelRoute] {
        guard let model = question.override else { return [] }
        guard let provider = provider(of: model) else { return [] }
        return [ModelRoute(provider: provider, model: model, reason: .override)]
    }

    private func provider(of model: String) -> String? {
        prices.provider(of: model).flatMap { providers.contains($0) ? $0 : nil } ?? fallbackProvider
    }

    /// A model nobody has priced is taken for one of the OpenAI-compatible endpoint.
    private var fallbackProvider: String? {
        providers.contains(ModelProvider.openAI) ? ModelProvider.openAI : nil
    }

    private func holds(_ route: ModelRoute, _ question: RouteQuestion) -> Bool {
        let price = prices.price(of: route.model, provider: route.provider)
        return question.promptTokens + min(question.maxOutput, price.maxOutput) <= price.context
    }

    private func table(_ question: RouteQuestion) -> [ModelRoute] {
        if let defaultModel, let provider = provider(of: defaultModel) {
            return [ModelRoute(provider: provider, model: defaultModel, reason: .default)]
        }
        let row = RouteRow.row(for: question)
        var routes: [ModelRoute] = []
        for (entry, reason) in [(row.first, row.reason), (row.cheaper, .budget), (row.other, .failover)]
        where providers.contains(entry.provider) {
            routes.append(ModelRoute(provider: entry.provider, model: entry.model, reason: reason))
        }
        return RouteRow.ordered(routes, isFirstThere: providers.contains(row.first.provider))
    }
}
