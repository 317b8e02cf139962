import Domain

/// What a plan costs before any of it has run.
package struct PlanEstimator: Sendable {
    private let routing: CrewRouting

    package init(routing: CrewRouting) {
        self.routing = routing
    }

    /// Likely and worst cost of all tasks together, one call each, on the routes they would take now.
    package func estimate(_ tasks: [PlannedTask], brief: String) -> PlanEstimate {
        var total = PlanEstimate(expected: .zero, worst: .zero)
        for task in tasks {
            let cost = estimate(task, briefBytes: brief.utf8.count)
            total.expected += cost.expected
            total.worst += cost.worst
        }
        return total
    }

    /// Policy, roster and agent card take about 4 kB; a brief is cut at a quarter of the prompt's budget, and each
    /// dependency's digest at 1,200 tokens.
    private func estimate(_ task: PlannedTask, briefBytes: Int) -> PlanEstimate {
        if let simulate = task.simulate { return PlanEstimate(expected: simulate.cost, worst: simulate.cost) }
        let question = RouteQuestion(task: task, promptTokens: 0, budgetLeft: nil)
        guard let route = routing.candidates(for: question).first else {
            return PlanEstimate(expected: .zero, worst: .zero)
        }
        let price = routing.prices.price(of: route.model, provider: route.provider)
        let bytes = 4_096 + min(briefBytes, PromptBudget.ceiling / 4) + task.dependsOn.count * PromptBudget.digest
        let output = min(task.outputLimit, price.maxOutput)
        return PlanEstimate(
            expected: price.cost(of: ModelUsage(uncachedInput: bytes / 4, output: output / 2)),
            worst: price.worst(promptTokens: bytes / 2 + 32, maxOutput: output)
        )
    }
}
