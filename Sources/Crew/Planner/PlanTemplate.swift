import Domain

/// A task of the default plans, before it has dependencies.
struct PlanTemplate: Sendable {
    let id: String
    let title: String
    let description: String
    let agent: String
    let rubric: Rubric
    /// nil takes the name from the id.
    var filename: String?
    /// Left out first when the budget is short: the tasks with a star in engine 6.3.
    var optional = false

    /// The same task, left out first when the budget is short.
    var starred: PlanTemplate {
        var template = self
        template.optional = true
        return template
    }
}

// MARK: Around every core

extension PlanTemplate {
    static let briefAnalysis = PlanTemplate(
        id: "brief_analysis",
        title: "Brief analysis",
        description: """
            State the client's objective, scope, constraints, stakeholders and success measures, and list \
            what the brief leaves open.
            """,
        agent: "chief_strategist",
        rubric: .analytical
    )

    static let implementationRoadmap = PlanTemplate(
        id: "implementation_roadmap",
        title: "Implementation roadmap",
        description: """
            Turn the recommendations into phases with owners, timing, resources, dependencies and first \
            steps.
            """,
        agent: "operations_consultant",
        rubric: .operational,
        optional: true
    )

    static let executiveSummary = PlanTemplate(
        id: "executive_summary",
        title: "Executive summary",
        description: """
            Sum up the situation, the recommendation, its effect, cost and risks, and the decisions needed, \
            for readers with five minutes.
            """,
        agent: "executive_writer",
        rubric: .writing
    )

    static let pricingAnalysis = PlanTemplate(
        id: "pricing_analysis",
        title: "Pricing analysis",
        description: """
            Compare price levels, packages and willingness to pay, and say what they mean for the client's \
            prices.
            """,
        agent: "pricing_strategist",
        rubric: .strategic
    )

    static let riskRegister = PlanTemplate(
        id: "risk_register",
        title: "Risk register",
        description: "List risks and obligations with likelihood, impact, owner and mitigation.",
        agent: "risk_compliance_analyst",
        rubric: .risk
    )

    static let dataReview = PlanTemplate(
        id: "data_review",
        title: "Data review",
        description: """
            Describe the data at hand: what it covers, its quality, its key figures and trends, and what is \
            missing.
            """,
        agent: "quantitative_data_analyst",
        rubric: .quantitative
    )
}
