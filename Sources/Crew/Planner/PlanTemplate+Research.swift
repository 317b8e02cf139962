import Domain

/// What is found out first.
extension PlanTemplate {
    static let marketAnalysis = PlanTemplate(
        id: "market_analysis",
        title: "Market analysis",
        description: "Describe the market's size, growth, segments, demand drivers and trends, with sources.",
        agent: "research_intelligence_analyst",
        rubric: .analytical
    )

    static let competitorLandscape = PlanTemplate(
        id: "competitor_landscape",
        title: "Competitor landscape",
        description: "List the relevant competitors with their offers, strengths, weaknesses and direction.",
        agent: "competitive_intelligence_analyst",
        rubric: .analytical
    )

    static let brandAudit = PlanTemplate(
        id: "brand_audit",
        title: "Brand audit",
        description: "Review the brand's identity, message, website and channels as customers meet them today.",
        agent: "brand_strategist",
        rubric: .strategic
    )

    static let marketSizing = PlanTemplate(
        id: "market_sizing",
        title: "Market sizing",
        description: """
            Size the market and its reachable part from stated assumptions, and say how sure each figure \
            is.
            """,
        agent: "market_insights_analyst",
        rubric: .analytical
    )

    static let regulatoryScan = PlanTemplate(
        id: "regulatory_scan",
        title: "Regulatory scan",
        description: "List laws, licences, standards and obligations that apply, and what each demands.",
        agent: "risk_compliance_analyst",
        rubric: .risk
    )

    static let competitorProfiles = PlanTemplate(
        id: "competitor_profiles",
        title: "Competitor profiles",
        description: "Profile each main competitor: offer, customers, prices, strengths, weaknesses and likely moves.",
        agent: "competitive_intelligence_analyst",
        rubric: .analytical
    )

    static let processReview = PlanTemplate(
        id: "process_review",
        title: "Process review",
        description: "Describe how the work flows today, step by step, with volumes, times, costs and hand-overs.",
        agent: "operations_consultant",
        rubric: .operational
    )

    static let currentStateReview = PlanTemplate(
        id: "current_state_review",
        title: "Current state review",
        description: "Describe today's systems, data, interfaces, costs and pains.",
        agent: "technology_architect",
        rubric: .technical
    )

    static let organisationReview = PlanTemplate(
        id: "current_state_review",
        title: "Current state review",
        description: "Describe today's structure, roles, skills, decisions and culture.",
        agent: "operations_consultant",
        rubric: .operational
    )

    static let vendorLandscape = PlanTemplate(
        id: "vendor_landscape",
        title: "Vendor landscape",
        description: "Compare vendors and options by fit, cost, maturity and lock-in.",
        agent: "research_intelligence_analyst",
        rubric: .analytical
    )

    static let customerInsights = PlanTemplate(
        id: "customer_insights",
        title: "Customer insights",
        description: "Describe customers, what they value, how they buy and what they pay for today.",
        agent: "customer_insights_analyst",
        rubric: .analytical
    )

    static let competitorPricing = PlanTemplate(
        id: "competitor_pricing",
        title: "Competitor pricing",
        description: "Compare the competitors' price models, levels, packages and discounts.",
        agent: "competitive_intelligence_analyst",
        rubric: .analytical
    )

    static let userNeeds = PlanTemplate(
        id: "user_needs",
        title: "User needs",
        description: "Describe users, their jobs, pains and unmet needs, with evidence.",
        agent: "customer_insights_analyst",
        rubric: .analytical
    )

    static let stakeholderAnalysis = PlanTemplate(
        id: "stakeholder_analysis",
        title: "Stakeholder analysis",
        description: "List those affected, their interests, influence and likely stance, and how to win them.",
        agent: "change_management_lead",
        rubric: .operational
    )
}
