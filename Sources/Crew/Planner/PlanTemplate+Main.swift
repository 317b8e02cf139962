import Domain

/// What the client reads first: one main document each.
extension PlanTemplate {
    static let strategyDocument = PlanTemplate(
        id: "strategy_document",
        title: "Strategy document",
        description: """
            Bring research and analysis together into one strategy: situation, goals, choices, actions, \
            measures, risks.
            """,
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let digitalStrategy = PlanTemplate(
        id: "digital_strategy",
        title: "Digital presence strategy",
        description: """
            Bring audit and insights together into one digital strategy: goals, audiences, channels, \
            actions, measures.
            """,
        agent: "digital_marketing_strategist",
        rubric: .strategic,
        filename: "digital-presence-strategy.md"
    )

    static let marketEntryStrategy = PlanTemplate(
        id: "market_entry_strategy",
        title: "Market entry strategy",
        description: """
            Recommend whether, where and how to enter, with timing, investment, partners, risks and exit \
            points.
            """,
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let competitiveStrategy = PlanTemplate(
        id: "competitive_strategy",
        title: "Competitive strategy",
        description: "Recommend where to compete and how to win, with actions, measures and likely responses.",
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let improvementPlan = PlanTemplate(
        id: "improvement_plan",
        title: "Improvement plan",
        description: "Recommend the improvements in order of worth, with targets, owners and what they take.",
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let technologyRoadmap = PlanTemplate(
        id: "technology_roadmap",
        title: "Technology roadmap",
        description: "Recommend the steps from today's to the target systems, with order, cost, risks and decisions.",
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let businessCase = PlanTemplate(
        id: "business_case",
        title: "Business case",
        description: "Recommend for or against the investment: benefits, costs, return, risks, alternatives.",
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let pricingStrategy = PlanTemplate(
        id: "pricing_strategy",
        title: "Pricing strategy",
        description: "Recommend price model, levels and packages, with roll-out, measures and risks.",
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let productStrategy = PlanTemplate(
        id: "product_strategy",
        title: "Product strategy",
        description: "Recommend what to build for whom and in which order, with measures and risks.",
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let organisationStrategy = PlanTemplate(
        id: "organisation_strategy",
        title: "Organisation strategy",
        description: "Recommend the organisation to aim for and the way there, with timing, measures and risks.",
        agent: "chief_strategist",
        rubric: .strategic
    )
}
