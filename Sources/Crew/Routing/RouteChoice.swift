package import Domain

/// A model that the budget allows, and how much it may write.
package struct RouteChoice: Sendable, Hashable {
    package let route: ModelRoute
    /// Tokens of output, at most what the model can write.
    package let maxOutput: Int
    /// What to set aside before the call.
    package let reservation: NanoUSD
}

extension CrewRouting {
    /// The least output worth paying a call for, in tokens (engine 3.4).
    package static let leastOutput = 512

    /// The first candidate that fits the budget; else the one that fits with less output, the dearest first.
    ///
    /// - Returns: nil where no call fits any more: only free steps may go on.
    package func choose(_ question: RouteQuestion) -> RouteChoice? {
        let candidates = candidates(for: question)
        for (index, route) in candidates.enumerated() {
            let output = min(question.maxOutput, price(route).maxOutput)
            if let choice = choice(route, output, question, isFirst: index == 0) { return choice }
        }
        for route in candidates {
            guard let output = affordable(route, question), output >= Self.leastOutput else { continue }
            return choice(route, min(output, question.maxOutput, price(route).maxOutput), question, isFirst: false)
        }
        return nil
    }

    private func price(_ route: ModelRoute) -> ModelPrice { prices.price(of: route.model, provider: route.provider) }

    private func choice(
        _ route: ModelRoute,
        _ output: Int,
        _ question: RouteQuestion,
        isFirst: Bool
    ) -> RouteChoice? {
        let worst = price(route).worst(promptTokens: question.promptTokens, maxOutput: output)
        let reservation = question.simulated ?? worst
        if let left = question.budgetLeft, reservation > left { return nil }
        let isCheaper = !isFirst && route.reason == .default
        let reason: ModelRoute.Reason = isCheaper ? .budget : route.reason
        let taken = ModelRoute(provider: route.provider, model: route.model, reason: reason)
        return RouteChoice(route: taken, maxOutput: output, reservation: reservation)
    }

    /// The tokens of output that what is left pays for, after the prompt.
    private func affordable(_ route: ModelRoute, _ question: RouteQuestion) -> Int? {
        guard let left = question.budgetLeft else { return nil }
        let price = price(route)
        let rest = left - price.worst(promptTokens: question.promptTokens, maxOutput: 0)
        guard rest > .zero, price.output > 0 else { return nil }
        return Int(rest.nanos / price.output)
    }
}
