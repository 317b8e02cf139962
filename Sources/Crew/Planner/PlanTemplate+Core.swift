import Domain

/// What an archetype turns on.
extension PlanTemplate {
    static let customerSegments = PlanTemplate(
        id: "customer_segments",
        title: "Customer segments",
        description: "Define segments by need and value, and say which to serve first and why.",
        agent: "customer_insights_analyst",
        rubric: .analytical
    )

    static let channelPlan = PlanTemplate(
        id: "channel_plan",
        title: "Channel plan",
        description: "Choose sales and marketing channels by segment, with targets, owners and cost.",
        agent: "sales_enablement_lead",
        rubric: .operational
    )

    static let audienceInsights = PlanTemplate(
        id: "audience_insights",
        title: "Audience insights",
        description: "Describe the audiences, where they spend attention and what moves them.",
        agent: "customer_insights_analyst",
        rubric: .analytical
    )

    static let contentPlan = PlanTemplate(
        id: "content_plan",
        title: "Content plan",
        description: "Plan themes, formats, channels and a calendar that serve the audiences.",
        agent: "content_strategist",
        rubric: .writing
    )

    static let entryOptions = PlanTemplate(
        id: "entry_options",
        title: "Entry options",
        description: "Compare ways to enter the market by speed, cost, control and risk.",
        agent: "chief_strategist",
        rubric: .strategic
    )

    static let entryCase = PlanTemplate(
        id: "business_case",
        title: "Business case",
        description: """
            Work out revenue, cost, investment and payback of the options, with assumptions and \
            sensitivity.
            """,
        agent: "financial_modeling_analyst",
        rubric: .quantitative
    )

    static let positioningMap = PlanTemplate(
        id: "positioning_map",
        title: "Positioning map",
        description: "Place client and competitors on the dimensions customers choose by.",
        agent: "brand_strategist",
        rubric: .strategic
    )

    static let gapAnalysis = PlanTemplate(
        id: "gap_analysis",
        title: "Gap analysis",
        description: "Name the gaps between the client and the best of its competitors, and what each is worth.",
        agent: "competitive_intelligence_analyst",
        rubric: .analytical
    )

    static let rootCauses = PlanTemplate(
        id: "root_causes",
        title: "Root causes",
        description: "Trace the main losses of time, money and quality to their causes.",
        agent: "operations_consultant",
        rubric: .operational
    )

    static let savingsCase = PlanTemplate(
        id: "savings_case",
        title: "Savings case",
        description: "Work out what each improvement saves and costs, with assumptions and sensitivity.",
        agent: "financial_modeling_analyst",
        rubric: .quantitative
    )

    static let targetArchitecture = PlanTemplate(
        id: "target_architecture",
        title: "Target architecture",
        description: "Describe the target systems, data, interfaces and security, with alternatives and trade-offs.",
        agent: "technology_architect",
        rubric: .technical
    )

    static let financialModel = PlanTemplate(
        id: "financial_model",
        title: "Financial model",
        description: "Work out revenue, cost, investment and cash flow by year from stated assumptions.",
        agent: "financial_modeling_analyst",
        rubric: .quantitative
    )

    static let sensitivityAnalysis = PlanTemplate(
        id: "sensitivity_analysis",
        title: "Sensitivity analysis",
        description: "Show which assumptions move the result most, and where it turns.",
        agent: "quantitative_data_analyst",
        rubric: .quantitative
    )

    static let priceOptions = PlanTemplate(
        id: "price_options",
        title: "Price options",
        description: "Compare price models, levels and packages by value, simplicity and risk.",
        agent: "pricing_strategist",
        rubric: .strategic
    )

    static let revenueImpact = PlanTemplate(
        id: "revenue_impact",
        title: "Revenue impact",
        description: "Work out the effect of each price option on volume, revenue and margin, with sensitivity.",
        agent: "financial_modeling_analyst",
        rubric: .quantitative
    )

    static let opportunityMap = PlanTemplate(
        id: "opportunity_map",
        title: "Opportunity map",
        description: "Rank opportunities by user value, reach, effort and fit with the goals.",
        agent: "product_strategist",
        rubric: .strategic
    )

    static let feasibilityCheck = PlanTemplate(
        id: "feasibility_check",
        title: "Feasibility check",
        description: "Say what each opportunity takes to build, what it depends on and what may fail.",
        agent: "technology_architect",
        rubric: .technical
    )

    static let operatingModel = PlanTemplate(
        id: "operating_model",
        title: "Operating model",
        description: "Describe structure, roles, decisions and ways of working that serve the goals.",
        agent: "operations_consultant",
        rubric: .operational
    )

    static let changePlan = PlanTemplate(
        id: "change_plan",
        title: "Change plan",
        description: "Plan communication, training, milestones and measures of the change.",
        agent: "change_management_lead",
        rubric: .operational
    )

    static let optionsAnalysis = PlanTemplate(
        id: "options_analysis",
        title: "Options analysis",
        description: "Set out the options, compare them by the client's criteria, and say which stands out and why.",
        agent: "chief_strategist",
        rubric: .strategic
    )
}
