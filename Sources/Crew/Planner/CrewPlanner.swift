package import Domain

/// Turns a brief into tasks. The same brief always gives the same plan, and there always is one: no model is asked.
package enum CrewPlanner {
    /// The most paid tasks of a plan of our own (engine 6.3).
    package static let cap = 9

    /// The plan of a run: the caller's tasks completed, or a default plan where there are none.
    ///
    /// - Parameters:
    ///   - name: the engagement's name.
    ///   - brief: the engagement's brief.
    ///   - given: the caller's tasks, checked; empty asks for a default plan.
    ///   - budget: what the run may spend. A default plan gives up optional tasks to stay below 80 % of it.
    ///   - estimator: what tasks cost with the routes and prices at hand.
    ///   - hasData: whether a data file is attached; it adds `data_review`.
    /// - Returns: at least one task; ids and file names are unique.
    package static func plan(
        name: String,
        brief: String,
        given: [CrewTask],
        budget: NanoUSD,
        estimator: PlanEstimator,
        hasData: Bool = false
    ) -> CrewPlan {
        guard given.isEmpty else {
            let tasks = TaskCompletion.complete(given)
            let estimate = estimator.estimate(tasks, brief: brief)
            return CrewPlan(tasks: tasks, archetype: nil, matched: [], dropped: [], estimate: estimate)
        }
        let choice = Archetype.choose(name: name, brief: brief)
        var draft = PlanDraft(choice.archetype)
        draft.force(wantsPricing: choice.wantsPricing, wantsRisks: choice.wantsRisks, hasData: hasData)
        while draft.tasks.count > cap, draft.dropLast() {}
        while !fits(estimator.estimate(draft.tasks, brief: brief), budget), draft.dropLast() {}
        return CrewPlan(
            tasks: draft.tasks,
            archetype: choice.archetype.name,
            matched: choice.matched,
            dropped: draft.dropped,
            estimate: estimator.estimate(draft.tasks, brief: brief)
        )
    }

    private static func fits(_ estimate: PlanEstimate, _ budget: NanoUSD) -> Bool {
        estimate.worst.nanos <= budget.nanos / 5 * 4
    }
}
