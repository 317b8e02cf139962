package import Domain

/// What the choice of a model depends on.
package struct RouteQuestion: Sendable {
    package var kind: StepKind
    package var rubric: Rubric
    package var tier: CrewAgent.Tier
    /// The model the task asks for.
    package var override: String?
    /// A bound on the prompt's tokens.
    package var promptTokens: Int
    /// The output the task would like, in tokens.
    package var maxOutput: Int
    /// What may still be reserved; nil asks for no check.
    package var budgetLeft: NanoUSD?
    /// An earlier version scored below 6.
    package var scoredLow: Bool
    /// Providers marked down or paused for longer than a step may wait.
    package var down: Set<String>
    /// What a task that only pretends says it costs; nil for real ones.
    package var simulated: NanoUSD?

    package init(
        kind: StepKind,
        rubric: Rubric,
        tier: CrewAgent.Tier,
        override: String? = nil,
        promptTokens: Int,
        maxOutput: Int,
        budgetLeft: NanoUSD?,
        scoredLow: Bool = false,
        down: Set<String> = [],
        simulated: NanoUSD? = nil
    ) {
        self.kind = kind
        self.rubric = rubric
        self.tier = tier
        self.override = override
        self.promptTokens = promptTokens
        self.maxOutput = maxOutput
        self.budgetLeft = budgetLeft
        self.scoredLow = scoredLow
        self.down = down
        self.simulated = simulated
    }

    /// The question a task's own work asks; the first analysis of the brief goes the way of summaries.
    package init(task: PlannedTask, promptTokens: Int, budgetLeft: NanoUSD?, down: Set<String> = []) {
        self.init(
            kind: task.id == PlanTemplate.briefAnalysis.id ? .summarise : .work,
            rubric: task.rubric,
            tier: task.tier,
            override: task.model,
            promptTokens: promptTokens,
            maxOutput: task.outputLimit,
            budgetLeft: budgetLeft,
            down: down,
            simulated: task.simulate?.cost
        )
    }
}
